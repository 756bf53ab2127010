//! The one place where the routers are put together: probes, our admin API, the dialects.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use yinxin_admin::AdminKey;
use yinxin_core::Ctx;
use yinxin_core::rooms::media::MediaServers;
use yinxin_http::Arrival;
use yinxin_http::metrics::PrometheusHandle;
use yinxin_http::probes::{self, Draining, ProbeState};
use yinxin_realtime::Registry;

use crate::config::Config;

pub(super) fn assemble(
    config: &Config,
    media: MediaServers,
    ctx: &Arc<Ctx>,
    registry: Arc<Registry>,
    key: AdminKey,
    metrics: PrometheusHandle,
    draining: Draining,
) -> Router {
    let easemob = yinxin_easemob::Options { public_url: config.public_url.0.clone(), socket: config.socket_limits() };
    let netease = yinxin_netease::Options {
        public_url: config.public_url.0.clone(),
        media,
        socket: config.socket_limits(),
        ..yinxin_netease::Options::default()
    };
    let lanying = yinxin_lanying::Options { public_url: config.public_url.0.clone() };
    let gate = Gate { ctx: Arc::clone(ctx), key: key.clone(), public: config.metrics_public };
    probes::routes(probe_state(ctx, metrics, draining))
        .layer(from_fn_with_state(Arc::new(gate), guard_metrics))
        .merge(yinxin_admin::router(Arc::clone(ctx), key))
        .merge(yinxin_netease::router(Arc::clone(ctx), netease))
        .merge(yinxin_lanying::router(Arc::clone(ctx), lanying))
        .merge(yinxin_lanying::socket(Arc::clone(ctx), Arc::clone(&registry), config.socket_limits()))
        // It answers everything else, so it comes last.
        .merge(yinxin_easemob::router(Arc::clone(ctx), registry, easemob))
}

fn probe_state(ctx: &Arc<Ctx>, metrics: PrometheusHandle, draining: Draining) -> ProbeState {
    let ctx = Arc::clone(ctx);
    ProbeState::new(metrics, draining, move || {
        let ctx = Arc::clone(&ctx);
        // The probe is public: why the database fails is for the log.
        async move {
            ctx.check_storage().await.map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "not ready");
                error.to_string()
            })
        }
    })
}

/// What decides about `/metrics`.
struct Gate {
    ctx: Arc<Ctx>,
    key: AdminKey,
    public: bool,
}

async fn guard_metrics(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/metrics" {
        if !gate.lets(&request) {
            return (StatusCode::FORBIDDEN, "metrics are for this machine or with the admin key").into_response();
        }
        gate.count();
    }
    next.run(request).await
}

impl Gate {
    /// A proxy on this machine brings clients from elsewhere: what was forwarded is not from here, whoever is trusted.
    fn lets(&self, request: &Request) -> bool {
        let headers = request.headers();
        let is_forwarded = ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"]
            .iter()
            .any(|name| headers.contains_key(*name));
        let is_local = request.extensions().get::<Arrival>().is_some_and(|arrival| arrival.client.is_loopback());
        self.public
            || (is_local && !is_forwarded)
            || self.key.opens(headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes))
    }

    /// Sets what is measured only when somebody looks.
    #[expect(clippy::cast_precision_loss, reason = "gauges of this size are exact in a float")]
    fn count(&self) {
        let writer = self.ctx.db.writer_gauge();
        if let Some(cluster) = &self.ctx.cluster {
            metrics::gauge!("yinxin_cluster_nodes").set((cluster.others() + 1) as f64);
        }
        metrics::gauge!("yinxin_uploads").set(self.ctx.files.uploads() as f64);
        metrics::gauge!("yinxin_cached_users").set(self.ctx.cached_users() as f64);
        metrics::gauge!("yinxin_room_seats").set(self.ctx.rooms.taken() as f64);
        metrics::gauge!("yinxin_hook_events_kept").set(self.ctx.hooks.kept() as f64);
        metrics::gauge!("yinxin_writer_queued").set(writer.queued as f64);
        metrics::gauge!("yinxin_writer_last_group").set(writer.last_group as f64);
        metrics::counter!("yinxin_reads_total").absolute(self.ctx.db.reads());
        metrics::counter!("yinxin_writer_commits_total").absolute(writer.commits as u64);
        metrics::counter!("yinxin_writer_statements_total").absolute(writer.statements as u64);
    }
}
