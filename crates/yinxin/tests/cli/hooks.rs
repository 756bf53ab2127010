use yinxin_testkit::server::Server;

use crate::binary;
use crate::process::run_on;

/// Nothing listens there, and nothing may: it is a port of the system's.
const URL: &str = "http://127.0.0.1:9/hook";

#[test]
fn people_get_text() {
    let server = Server::start(binary(), &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    yinxin(&["app", "create", "acme/chat"]);
    let made = yinxin(&["hook", "add", "acme/chat", URL, "--events", "message.sent,session.ended"]).stdout;
    for part in ["Secret   whsec_", "Told of  message.sent, session.ended", "Timeout  15000 ms", "State    on"] {
        assert!(made.contains(part), "{part}: {made}");
    }
    let id = made.lines().next().and_then(|line| line.split_whitespace().last()).unwrap();
    let shown = yinxin(&["hook", "show", "acme/chat", id]).stdout;
    assert!(shown.contains(URL) && !shown.contains("whsec_"), "{shown}");
    let listed = yinxin(&["hook", "list", "acme/chat", "--secrets"]).stdout;
    assert!(listed.contains("TOLD OF") && listed.contains("whsec_"), "{listed}");
    let tried = yinxin(&["hook", "test", "acme/chat", id]);
    assert!(tried.failed(1).contains("no connection"), "{tried:?}");
    let log = yinxin(&["hook", "log", "acme/chat", id]).stdout;
    assert!(log.contains("hook.test") && log.contains("no connection"), "{log}");
    assert_eq!(yinxin(&["hook", "redeliver", "acme/chat", id]).stdout, "events that are told again: 0\n");
    let changed = yinxin(&["hook", "change", "acme/chat", id, "--enabled=false", "--timeout-ms", "2000"]).stdout;
    assert!(changed.contains("Timeout  2000 ms") && changed.contains("State    off"), "{changed}");
    assert!(yinxin(&["hook", "rotate-secret", "acme/chat", id]).stdout.contains("whsec_"));
    assert_eq!(yinxin(&["hook", "remove", "acme/chat", id, "--yes"]).stdout, format!("removed the hook {id}\n"));

    let asked = yinxin(&["hook", "add", "acme/chat", URL, "--pre-send", "--on-failure", "closed"]).stdout;
    assert!(asked.contains("Without answer  refused") && !asked.contains("Told of"), "{asked}");
}

#[test]
fn refusals_have_their_exit_codes_and_say_what_to_do() {
    let server = Server::start(binary(), &[]);
    let yinxin = |args: &[&str]| run_on(server.data(), args);
    yinxin(&["app", "create", "acme/chat"]);
    assert!(yinxin(&["hook", "add", "acme/none", URL]).failed(3).contains("there is no such app"));
    assert!(yinxin(&["hook", "add", "acme/chat", "ftp://x"]).failed(2).contains("neither http nor https"));
    assert!(yinxin(&["hook", "add", "acme/chat", URL, "--events", "all"]).failed(2).contains("there are message.sent"));
    assert!(yinxin(&["hook", "add", "acme/chat", URL, "--on-failure", "ajar"]).failed(2).contains("open, closed"));
    assert!(yinxin(&["hook", "show", "acme/chat", "nonsense"]).failed(3).contains("there is no such hook"));
    assert!(yinxin(&["hook", "show", "acme/chat", ""]).failed(2).contains("empty"));
    assert!(yinxin(&["hook", "remove", "acme/chat", "x"]).failed(6).contains("--yes"));
    assert!(yinxin(&["hook", "change", "acme/chat", "x"]).failed(2).contains("nothing to change"));
    yinxin(&["hook", "add", "acme/chat", URL, "--pre-send"]);
    assert!(yinxin(&["hook", "add", "acme/chat", URL, "--pre-send"]).failed(4).contains("as it may"));
}
