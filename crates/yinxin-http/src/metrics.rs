//! What is counted. Handles are made once and kept; counting is a few atomic additions.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `yinxin_http_connections` | gauge | | connections open, websockets included |
//! | `yinxin_http_connections_total` | counter | | connections accepted |
//! | `yinxin_http_connections_refused_total` | counter | `reason`: `full`, `client_full` | closed with 503 at once |
//! | `yinxin_http_accept_errors_total` | counter | | accepting failed on our side, e.g. out of descriptors |
//! | `yinxin_http_timeouts_total` | counter | `phase`: `idle`, `head`, `body` | silent connections, slow headers, slow bodies |
//! | `yinxin_http_panics_total` | counter | | handlers that panicked |
//! | `yinxin_http_requests_total` | counter | `dialect`, `operation`, `status` | answers |
//! | `yinxin_http_request_seconds` | histogram | `dialect`, `operation` | time from complete headers to the answer |

mod latency;
mod operation;

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};

pub use metrics_exporter_prometheus::PrometheusHandle;
pub use operation::OperationMetrics;

const CONNECTIONS: &str = "yinxin_http_connections";
const ACCEPTED: &str = "yinxin_http_connections_total";
const REFUSED: &str = "yinxin_http_connections_refused_total";
const ACCEPT_ERRORS: &str = "yinxin_http_accept_errors_total";
const TIMEOUTS: &str = "yinxin_http_timeouts_total";
const PANICS: &str = "yinxin_http_panics_total";
const REQUESTS: &str = "yinxin_http_requests_total";
const SECONDS: &str = "yinxin_http_request_seconds";

/// Makes this process count, once, before anything that counts is made. Fails when a recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    describe_gauge!(CONNECTIONS, "Connections open.");
    describe_counter!(ACCEPTED, "Connections accepted.");
    describe_counter!(REFUSED, "Connections refused over a limit.");
    describe_counter!(ACCEPT_ERRORS, "Failures to accept a connection.");
    describe_counter!(TIMEOUTS, "Connections and bodies that took too long.");
    describe_counter!(PANICS, "Handlers that panicked.");
    describe_counter!(REQUESTS, "Requests answered.");
    Ok(handle)
}

/// Everything counted, in Prometheus' text format.
pub fn render(handle: &PrometheusHandle) -> String {
    let mut text = handle.render();
    latency::render(&mut text);
    text
}

/// The handles of a listener.
pub(crate) struct ServerMetrics {
    pub(crate) open: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) refused_full: Counter,
    pub(crate) refused_client_full: Counter,
    pub(crate) accept_errors: Counter,
    pub(crate) timeouts_idle: Counter,
    pub(crate) timeouts_head: Counter,
    pub(crate) panics: Counter,
}

impl ServerMetrics {
    pub(crate) fn new() -> Self {
        Self {
            open: gauge!(CONNECTIONS),
            accepted: counter!(ACCEPTED),
            refused_full: counter!(REFUSED, "reason" => "full"),
            refused_client_full: counter!(REFUSED, "reason" => "client_full"),
            accept_errors: counter!(ACCEPT_ERRORS),
            timeouts_idle: counter!(TIMEOUTS, "phase" => "idle"),
            timeouts_head: counter!(TIMEOUTS, "phase" => "head"),
            panics: counter!(PANICS),
        }
    }
}

/// Counts a slow body; it is rare enough to look its handle up.
pub(crate) fn body_timed_out() {
    counter!(TIMEOUTS, "phase" => "body").increment(1);
}
