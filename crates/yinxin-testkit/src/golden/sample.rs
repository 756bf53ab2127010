//! The golden file format and its loader. Knows neither the server nor how a reply is judged.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One printed sample: what a client sends, after which preparations, and what the server must answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// `<operation>/<name>.json`, relative to the vendor's folder.
    #[serde(skip)]
    pub file: String,
    /// Our name of the call, and the name of the file's folder.
    pub operation: String,
    /// Method and path as the document writes them.
    pub call: String,
    /// Where the sample is printed.
    pub source: Source,
    /// What the printed sample has wrong or leaves open, and what stands here instead.
    pub repaired: Option<String>,
    /// Set where the server answers otherwise than printed, or only in one of the situations printed together.
    pub decision: Option<Decision>,
    /// The app the sample talks to; none where the app must not exist.
    pub app: Option<App>,
    /// Calls that prepare the server; each must answer 200.
    #[serde(default)]
    pub given: Vec<Step>,
    /// uuid of the sample -> name of the user whose uuid it stands for.
    #[serde(default)]
    pub users: BTreeMap<String, String>,
    /// The call itself.
    pub request: Request,
    /// The status it must answer.
    pub status: u16,
    /// The body it must answer, as printed.
    pub reply: Value,
    /// JSON pointer into the reply -> why the value there is not compared, only its type.
    #[serde(default)]
    pub redact: BTreeMap<String, String>,
}

impl Sample {
    /// What became of the call: the status or, where every status is 200, the code in the body.
    pub fn outcome(&self) -> u16 {
        let code = self.reply.get("code").and_then(Value::as_u64);
        code.and_then(|code| u16::try_from(code).ok()).unwrap_or(self.status)
    }
}

/// A place in a document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// File name of the document.
    pub seed: String,
    /// Title of the section.
    pub section: String,
    /// Heading of the sample in the section.
    pub sample: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.seed, self.section, self.sample)
    }
}

/// A decision against, or between, printed samples.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Its number or name in the dialect's list of decisions.
    pub item: String,
    /// The decision and its reason, in a sentence or two.
    pub why: String,
}

/// The app of a sample. The values are the sample's; the runner puts this server's in their place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The organisation's name.
    pub org: String,
    /// The app's name; on the server it gets a number appended, so that every file has its own app.
    pub app: String,
    /// Whether anybody may register.
    #[serde(default)]
    pub open_registration: bool,
    /// The app's compatibility profile, if not the default one.
    pub profile: Option<String>,
    /// The uuid the sample prints for the app, where the reply has no `application` that says it.
    pub uuid: Option<String>,
    /// The client id the request carries.
    pub client_id: Option<String>,
    /// The client secret the request carries.
    pub client_secret: Option<String>,
    /// The keys the sample signs its call with; on the server the app has them, too.
    pub signing: Option<Signing>,
}

/// Keys of signed calls as a sample prints them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The app's name in signed calls. No two files may have the same.
    pub app_key: String,
    /// The secret that signs calls.
    pub app_secret: String,
}

/// A preparing call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// As [`Request::auth`].
    pub auth: String,
    /// Sent as JSON.
    pub body: Option<Value>,
    /// Sent as a form.
    pub form: Option<String>,
    /// Text of the sample -> JSON pointer into this step's reply; from here on the text, or the number with these digits,
    /// stands for what is there.
    #[serde(default)]
    pub learn: BTreeMap<String, String>,
}

/// The call a sample shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Every header but Authorization and those that frame the body.
    pub headers: BTreeMap<String, String>,
    /// The bearer token: `none`, `app`, `user:NAME:PASSWORD` (a token of that user), or `raw:TOKEN` as it stands. Or
    /// `signed:NONCE`: the four headers of a call that is signed now; `signed:NONCE@SECOND`: at that second;
    /// `signed-wrong:…`: with another secret. Or `lanying:nobody`, `lanying:admin`, `lanying:NAME:PASSWORD`: the app's id
    /// and that one's token.
    pub auth: String,
    /// The body byte for byte; none means no body and no Content-Length.
    pub body: Option<String>,
}

/// Loads every `<operation>/<name>.json` of a vendor's folder, sorted by name.
///
/// # Panics
/// Names the file that cannot be read or is not in the format.
pub fn load(folder: &Path) -> Vec<Sample> {
    let operations = entries(folder).into_iter().filter(|path| path.is_dir());
    let files = operations.flat_map(|operation| entries(&operation));
    files.map(|path| load_one(folder, &path)).collect()
}

/// Loads one JSON file of any type.
///
/// # Panics
/// Names the file that cannot be read or is not in the format.
pub fn load_json<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn load_one(folder: &Path, path: &Path) -> Sample {
    let mut sample: Sample = load_json(path);
    let file = path.strip_prefix(folder).expect("a file below the folder");
    sample.file = file.to_string_lossy().replace('\\', "/");
    assert!(file.starts_with(&sample.operation), "{}: the operation is {}", sample.file, sample.operation);
    sample
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths
}
