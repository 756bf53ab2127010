//! One text for two engines: reads the statements out of the sources and the migrations out of their files, and refuses
//! what SQLite and PostgreSQL do not both understand the same way, and every statement that could reach another app.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Words that only one engine knows, or that both know with another meaning, and why not.
const WORDS: [(&str, &str); 26] = [
    ("OFFSET", "pages go by key"),
    ("LIKE", "folds case on one engine; use a half-open range on a folded column"),
    ("ILIKE", "one engine only"),
    ("GLOB", "one engine only"),
    ("REGEXP", "one engine only"),
    ("SIMILAR", "one engine only"),
    ("ANY", "no arrays"),
    ("ARRAY", "no arrays"),
    ("UNNEST", "no arrays"),
    ("AUTOINCREMENT", "ids are made by the mint"),
    ("SERIAL", "ids are made by the mint"),
    ("BIGSERIAL", "ids are made by the mint"),
    ("ROWID", "one engine only"),
    ("NOW", "time comes from the clock, as an argument"),
    ("CURRENT_TIMESTAMP", "time comes from the clock, as an argument"),
    ("STRFTIME", "time comes from the clock, as an argument"),
    ("RANDOM", "randomness comes from the generator, as an argument"),
    ("REPLACE", "say ON CONFLICT DO"),
    ("IGNORE", "say ON CONFLICT DO"),
    ("IFNULL", "say COALESCE"),
    ("IIF", "say CASE"),
    ("JSON", "no operators on JSON"),
    ("JSONB", "no operators on JSON"),
    ("PRAGMA", "belongs to the driver"),
    ("LOCKED", "no row locks"),
    ("USING", "say ON, with the app on both sides"),
];
/// Neighbouring words.
const PHRASES: [(&str, &str); 4] = [
    ("FOR UPDATE", "no row locks"),
    ("INSERT OR", "say ON CONFLICT DO"),
    ("UPDATE OR", "say ON CONFLICT DO"),
    ("FOREIGN KEY", "none, so that tables can be distributed"),
];
/// Signs.
const SIGNS: [(&str, &str); 9] = [
    ("?", "arguments are $1, $2, …"),
    ("->", "no operators on JSON"),
    ("@>", "no operators on JSON"),
    ("::", "say CAST"),
    ("`", "one engine only"),
    ("==", "one engine only"),
    ("[", "one engine only"),
    ("\\", "an escape of one engine"),
    ("REFERENCES", "none, so that tables can be distributed"),
];

/// Statements that do not name an app, by how they begin, and why not.
const WITHOUT_APP: [(&str, &str); 35] = [
    ("SELECT … FROM apps WHERE org = $1 AND name = $2", "finds the app"),
    ("SELECT … FROM apps WHERE signing_key = $1", "finds the app"),
    ("SELECT … FROM apps WHERE short_id = $1", "finds the app"),
    ("SELECT … FROM apps ORDER BY org, name", "the operator's list of all apps"),
    ("SELECT app_id, hook_id FROM hooks", "what a server looks at when it starts"),
    ("SELECT app_id, session_seq, lane, data FROM hook_sessions", "what a server looks at when it starts"),
    ("SELECT app_id FROM going_apps ORDER BY since_ms, app_id", "finds an app to clear away"),
    ("SELECT app_id, task_id FROM push_tasks WHERE app_id > $1", "finds the app whose turn it is"),
    ("SELECT COUNT(*) FROM going_apps", "the operator's look at what is left to clear"),
    ("INSERT INTO server_keys", "the server's own keys"),
    ("UPDATE rooms SET open_until_ms = $1, abandoned", "a server that starts: nobody is in any room"),
    ("UPDATE room_stays SET left_ms = $1, lost", "a server that starts: nobody is in any room"),
    ("SELECT key_id, sealed, created_ms FROM server_keys", "the server's own keys"),
    ("INSERT INTO file_garbage (object_id, due_ms) VALUES", "what belongs to no app"),
    ("UPDATE file_garbage", "what belongs to no app"),
    ("DELETE FROM file_garbage", "what belongs to no app"),
    ("SELECT object_id FROM file_garbage", "what belongs to no app"),
    ("INSERT INTO nodes", "the server's own nodes"),
    ("UPDATE nodes", "the server's own nodes"),
    ("DELETE FROM nodes", "the server's own nodes"),
    ("SELECT 1 FROM nodes", "the server's own nodes"),
    ("SELECT url FROM nodes", "the server's own nodes"),
    ("SELECT app_id, cid FROM rooms WHERE node = $1", "of a node that is gone"),
    ("SELECT app_id, cid FROM rooms WHERE open_until_ms", "a node that starts: of no node"),
    ("SELECT app, cid, pass_id FROM room_endings", "of a node, and its apps may be gone"),
    ("DELETE FROM room_endings WHERE node_id = $1", "of a node, and its apps may be gone"),
    ("INSERT INTO room_endings (node_id, app, cid, pass_id) SELECT node_id, $1", "of every node, for an app"),
    ("DELETE FROM made_calls WHERE (app_id, call_hash)", "what is forgotten of any app"),
    ("SELECT node_id, number, name, url, seen_ms, hears FROM nodes", "the server's own nodes"),
    ("INSERT INTO leases", "the server's own work"),
    ("DELETE FROM leases", "the server's own work"),
    ("SELECT piece, node_id FROM leases", "the server's own work"),
    ("SELECT number, why, note FROM session_endings", "of a node, and nobody's"),
    ("DELETE FROM session_endings", "of a node, and nobody's"),
    ("DELETE FROM sessions WHERE (app_id, user_id, resource)", "of a node that is gone"),
];

#[derive(Debug, PartialEq)]
enum Token {
    /// A string literal, with its escapes resolved.
    Literal(String),
    /// An identifier.
    Word(String),
    Sign(char),
}

/// The tokens of a Rust source, without comments; enough of the language for files of statements.
fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if first == '"' {
            let (literal, after) = literal(&rest[1..]);
            found.push(Token::Literal(literal));
            rest = after;
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                found.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// A literal up to its closing quote, and what follows.
fn literal(source: &str) -> (String, &str) {
    let mut text = String::new();
    let mut rest = source;
    loop {
        let end = rest.find(['"', '\\']).expect("a literal ends");
        text.push_str(&rest[..end]);
        if rest.as_bytes()[end] == b'"' {
            return (text, &rest[end + 1..]);
        }
        rest = &rest[end + 1..];
        let escaped = rest.chars().next().expect("something follows a backslash");
        if escaped == '\n' {
            rest = rest.trim_start();
        } else {
            text.push(if escaped == '\\' || escaped == '"' { escaped } else { ' ' });
            rest = &rest[escaped.len_utf8()..];
        }
    }
}

/// The texts in a source: each literal, or all of one `concat!` joined, with `…` where it names another macro.
fn texts(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == Token::Word("concat".to_owned()) {
            let mut text = String::new();
            let mut depth = 0;
            at += 2;
            loop {
                match &tokens[at] {
                    Token::Literal(part) => text.push_str(part),
                    Token::Sign('(') => depth += 1,
                    Token::Sign(')') => depth -= 1,
                    Token::Word(_) => text.push('…'),
                    Token::Sign(_) => {}
                }
                at += 1;
                if depth == 0 {
                    break;
                }
            }
            found.push(text);
        } else if let Token::Literal(text) = &tokens[at] {
            found.push(text.clone());
        }
        at += 1;
    }
    found
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).map(str::to_uppercase).collect()
}

/// What is wrong with a text on one engine or the other.
fn faults(text: &str) -> Vec<String> {
    let words = words(text);
    let spaced = words.join(" ");
    let mut faults: Vec<String> = Vec::new();
    let mut refuse = |what: &str, why: &str| faults.push(format!("{what}: {why}"));
    for (word, why) in WORDS {
        if words.iter().any(|found| found == word) {
            refuse(word, why);
        }
    }
    for (phrase, why) in PHRASES {
        if format!(" {spaced} ").contains(&format!(" {phrase} ")) {
            refuse(phrase, why);
        }
    }
    for (sign, why) in SIGNS {
        if text.contains(sign) {
            refuse(sign, why);
        }
    }
    let upper = text.to_uppercase();
    for function in ["MAX(", "MIN("] {
        let mut calls = upper.split(function).skip(1).filter_map(|call| call.split(')').next());
        if calls.any(|arguments| arguments.contains(',')) {
            refuse(function, "of two values: say CASE");
        }
    }
    if upper.contains("SUM(") && !(upper.contains("CAST(") && upper.contains(" AS BIGINT)")) {
        refuse("SUM", "is a decimal on one engine: CAST(SUM(…) AS BIGINT)");
    }
    if upper.contains("LIMIT") && !upper.contains("ORDER BY") {
        refuse("LIMIT", "of rows in no order");
    }
    faults.extend(misnumbered(text));
    faults
}

/// `$1` to `$n` must all be used: an argument that is not has no type on one engine.
fn misnumbered(text: &str) -> Option<String> {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    let used: BTreeSet<usize> = text.split('$').skip(1).filter_map(number).collect();
    let highest = used.last().copied().unwrap_or_default();
    (used.len() != highest).then(|| format!("of $1 to ${highest} only {used:?} are used"))
}

fn is_statement(text: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|verb| text.starts_with(verb))
}

/// Whether the statement stays within the app that is its first argument.
fn names_app(text: &str) -> bool {
    let inserted = text
        .strip_prefix("INSERT INTO ")
        .and_then(|rest| rest.split_once(" ("))
        .is_some_and(|(_, rest)| (rest.starts_with("app_id") || rest.starts_with('…')) && takes_first_argument(rest));
    inserted || text.contains("app_id = $1")
}

fn takes_first_argument(text: &str) -> bool {
    text.contains("VALUES ($1,") || text.contains("SELECT $1,")
}

/// Joins and inner selects that leave the app.
fn strays(text: &str) -> bool {
    let joins = text.split(" JOIN ").skip(1).any(|join| {
        let on = join.split_once(" ON ").map_or("", |(_, on)| on);
        !on.split_once(' ').is_some_and(|(column, rest)| column.ends_with(".app_id") && rest.starts_with("= "))
    });
    // A select that reads from an inner one only stays where that one does.
    let wraps = |select: &str| select.ends_with("FROM ");
    let inner = text.split("(SELECT ").skip(1).any(|select| !select.contains("app_id = $1") && !wraps(select));
    joins || inner
}

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tables");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

#[test]
fn every_text_is_read_the_same_way_by_both_engines() {
    let mut statements = 0;
    for (file, source) in sources() {
        for text in texts(&source) {
            let faults = faults(&text);
            assert!(faults.is_empty(), "{file}: {faults:?} in: {text}");
            statements += usize::from(is_statement(&text));
        }
    }
    assert!(statements > 80, "{statements} statements found: is the reader of sources blind?");
}

#[test]
fn every_statement_stays_within_its_app() {
    let mut excused = BTreeSet::new();
    for (file, source) in sources() {
        for text in texts(&source).iter().filter(|text| is_statement(text)) {
            if let Some((start, _)) = WITHOUT_APP.iter().find(|(start, _)| text.starts_with(start)) {
                excused.insert(*start);
                continue;
            }
            assert!(names_app(text), "{file}: the statement does not say app_id = $1: {text}");
            assert!(!strays(text), "{file}: a join or inner select does not name the app: {text}");
        }
    }
    assert_eq!(excused.len(), WITHOUT_APP.len(), "an excuse is not needed any more");
}

#[test]
fn the_migrations_are_portable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migrations");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let migrations: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "sql")).collect();
    assert!(!migrations.is_empty());
    for path in migrations {
        let migration = fs::read_to_string(&path).unwrap();
        let code = migration.lines().map(|line| line.split("--").next().unwrap_or_default());
        for statement in code.collect::<Vec<_>>().join(" ").split(';') {
            let faults = faults(statement);
            assert!(faults.is_empty(), "{}: {faults:?} in: {statement}", path.display());
        }
    }
}

#[test]
fn the_reader_of_sources_sees() {
    let source = r#"
        // "a comment"
        const A: &str = "SELECT a \
                         FROM b";
        const B: &str = concat!("SELECT ", columns!(), " FROM c");
        run("DELETE");
    "#;
    assert_eq!(texts(source), ["SELECT a FROM b", "SELECT … FROM c", "DELETE"]);
    for wrong in [
        "SELECT a FROM b ORDER BY a LIMIT $1 OFFSET $2",
        "INSERT OR IGNORE INTO a (b) VALUES ($1)",
        "SELECT a FROM b WHERE c = ANY($1)",
        "SELECT a FROM b WHERE c LIKE $1",
        "SELECT now()",
        "SELECT a FROM b WHERE c = ?1",
        "SELECT max(a, b) FROM c",
        "SELECT SUM(a) FROM b",
        "SELECT a ->> 'b' FROM c",
        "SELECT a FROM b WHERE c = $1 FOR UPDATE",
        "SELECT a FROM b WHERE c = $2",
        "SELECT a FROM b LIMIT 1",
        "CREATE TABLE a (b BIGSERIAL)",
    ] {
        assert!(!faults(wrong).is_empty(), "{wrong}");
    }
    assert!(faults("SELECT max(a), CAST(SUM(b) AS BIGINT) FROM c WHERE d = $1 AND e = $2").is_empty());
    assert!(strays("SELECT a FROM b JOIN c ON c.d = b.d WHERE b.app_id = $1"));
    assert!(strays("DELETE FROM a WHERE app_id = $1 AND b IN (SELECT b FROM c WHERE d = $2)"));
}
