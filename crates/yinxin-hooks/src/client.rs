//! [`Client`]: calls over HTTP and HTTPS. No redirect, no proxy, no cookie; of an answer only what is wanted is kept.

use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Response, Url};
use yinxin_core::hooks::{Courier, Letter, Reply, Undelivered};

use crate::addresses::{Resolver, is_public};

/// Connections that are kept for the next call, per host, and for how long: the shortest that a widespread server keeps
/// them is 5 s (Node).
const IDLE_MAX: usize = 16;
const IDLE: Duration = Duration::from_secs(4);
/// An answer's body that nobody wants is read up to here, so that the connection can be used again.
const UNWANTED_BYTES_MAX: usize = 64 * 1024;

/// What an operator decides about calls.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// Certificates, as PEM, of authorities that are trusted beside the system's.
    pub authorities_pem: Vec<u8>,
    /// Whether addresses of this machine and of private networks may be called.
    pub private_addresses: bool,
}

/// The certificates of the options are none.
#[derive(Debug, thiserror::Error)]
#[error("no certificates in PEM: {0}")]
pub struct Unusable(String);

/// The courier of a server.
pub struct Client {
    authorities: Vec<Certificate>,
    private_addresses: bool,
    /// Made at the first call: it reads the system's certificates, and most servers have no hook.
    keeping: OnceLock<Result<reqwest::Client, String>>,
    /// Keeps no connection, so each of its calls has a fresh one.
    fresh: OnceLock<Result<reqwest::Client, String>>,
}

impl Client {
    /// A client; nothing is called, and no file read, yet.
    pub fn new(options: &ClientOptions) -> Result<Self, Unusable> {
        let authorities = match options.authorities_pem.as_slice() {
            [] => Vec::new(),
            pem => match Certificate::from_pem_bundle(pem) {
                Ok(found) if !found.is_empty() => found,
                Ok(_) => return Err(Unusable("there is none in it".to_owned())),
                Err(fault) => return Err(Unusable(reason(&fault))),
            },
        };
        let private_addresses = options.private_addresses;
        Ok(Self { authorities, private_addresses, keeping: OnceLock::new(), fresh: OnceLock::new() })
    }

    fn keeping(&self) -> Result<&reqwest::Client, Undelivered> {
        self.keeping.get_or_init(|| self.build(IDLE_MAX)).as_ref().map_err(|fault| Undelivered(fault.clone()))
    }

    fn fresh(&self) -> Result<&reqwest::Client, Undelivered> {
        self.fresh.get_or_init(|| self.build(0)).as_ref().map_err(|fault| Undelivered(fault.clone()))
    }

    fn build(&self, idle_max: usize) -> Result<reqwest::Client, String> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("yinxin/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .pool_max_idle_per_host(idle_max)
                .pool_idle_timeout(IDLE)
                .dns_resolver(Resolver::new(self.private_addresses))
        };
        let with_system = builder().tls_certs_merge(self.authorities.clone()).build();
        with_system.or_else(|fault| {
            // A machine without certificates can still call plain HTTP.
            tracing::warn!(fault = reason(&fault), "the system's certificates cannot be used: HTTPS hooks will fail");
            builder().tls_certs_only(self.authorities.clone()).build().map_err(|fault| reason(&fault))
        })
    }

    /// An address literal is never looked up, so it is judged here.
    fn parse(&self, url: &str) -> Result<Url, String> {
        let url = Url::parse(url).map_err(|fault| fault.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("'{}' is neither http nor https", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a user or password in it is not sent; the signature says who calls".to_owned());
        }
        if url.fragment().is_some() {
            return Err("a fragment (#) is not sent".to_owned());
        }
        let host = url.host_str().ok_or("it has no host")?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        if !self.private_addresses && literal.is_ok_and(|address| !is_public(address)) {
            return Err(format!("{host} is a private address, and hooks.private_addresses is false"));
        }
        Ok(url)
    }

    async fn call(&self, letter: &Letter) -> Result<Reply, Undelivered> {
        let url = self.parse(&letter.url).map_err(Undelivered)?;
        let mut sent = send(self.keeping()?, url.clone(), letter).await;
        if sent.as_ref().is_err_and(gave_out) {
            // A kept connection may end while the call is on its way, which says nothing of the other side.
            sent = send(self.fresh()?, url, letter).await;
        }
        let mut response = sent.map_err(|fault| Undelivered(reason(&fault)))?;
        let status = response.status().as_u16();
        let retry_after_s = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = match letter.answer_bytes_max {
            0 => {
                // The answer is its status; that its body breaks off changes nothing.
                let _unwanted = read(&mut response, UNWANTED_BYTES_MAX).await;
                Vec::new()
            }
            most => read(&mut response, most).await?,
        };
        Ok(Reply { status, body, retry_after_s })
    }
}

impl Courier for Client {
    fn check(&self, url: &str) -> Result<(), String> {
        self.parse(url).map(|_| ())
    }

    fn post(&self, letter: Letter) -> BoxFuture<'_, Result<Reply, Undelivered>> {
        Box::pin(async move {
            let most = Duration::from_millis(u64::try_from(letter.timeout_ms).unwrap_or_default());
            let in_time = tokio::time::timeout(most, self.call(&letter)).await;
            in_time.unwrap_or_else(|_| Err(Undelivered("timed out".to_owned())))
        })
    }
}

async fn send(http: &reqwest::Client, url: Url, letter: &Letter) -> Result<Response, reqwest::Error> {
    http.post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &letter.id)
        .header("webhook-timestamp", letter.timestamp_s)
        .header("webhook-signature", &letter.signature)
        .body(letter.body.to_string())
        .send()
        .await
}

/// Whether a connection stood, and ended before an answer began.
fn gave_out(fault: &reqwest::Error) -> bool {
    fault.is_request() && !fault.is_connect() && !fault.is_timeout()
}

async fn read(response: &mut Response, most: usize) -> Result<Vec<u8>, Undelivered> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|fault| Undelivered(reason(&fault)))? {
        if body.len() + chunk.len() > most {
            return Err(Undelivered(format!("the answer is longer than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong, without the address: the last cause says most.
fn reason(fault: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = fault;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = if std::ptr::addr_eq(cause, fault) { "the call failed".to_owned() } else { cause.to_string() };
    if fault.is_connect() { format!("no connection: {text}") } else { text }
}
