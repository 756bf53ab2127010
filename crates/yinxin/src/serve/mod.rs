//! `yinxin serve`: the order in which a server starts and ends.
//!
//! Nothing is made before the command line, the configuration and the address are known to be right; nothing is printed to standard
//! output but the demo block and the line that says where the server listens.

mod calls;
mod chores;
mod cleaning;
mod demo;
mod logs;
mod routes;

use std::sync::Arc;

use rustix::fs::Mode;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use yinxin_admin::AdminKey;
use yinxin_core::clock::SystemClock;
use yinxin_core::ctx::Parts;
use yinxin_core::rng::SystemRng;
use yinxin_core::{Code, Ctx, Database, SqliteOptions};
use yinxin_http::metrics::PrometheusHandle;
use yinxin_http::probes::Draining;
use yinxin_realtime::{Bounds, Registry};

use crate::args::ServeArgs;
use crate::config::{self, Config, Given};
use crate::data::LockedDir;
use crate::exit::{Failure, Outcome};
use crate::print;
use calls::Calls;

pub(crate) fn run(args: &ServeArgs) -> Outcome {
    let config = configure(args)?;
    logs::start(&config);
    yinxin_http::panics::install_hook();
    let metrics = yinxin_http::metrics::install()
        .map_err(|fault| Failure::failed(format!("the metrics cannot be counted: {fault}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("yinxin")
        .build()
        .map_err(|fault| Failure::failed(format!("no threads to serve with: {fault}")))?;
    // Whatever is made from here on, the database's files included, is for its owner only.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    runtime.block_on(serve(&config, metrics, !args.no_demo))
}

fn configure(args: &ServeArgs) -> Outcome<Config> {
    let mut given = Given::from_process(args.config.as_deref());
    if let Some(data) = &args.data {
        let text = data.to_str().ok_or_else(|| Failure::usage("--data must be text in UTF-8"))?;
        given.args.push(("data", text.to_owned()));
    }
    given.args.extend(args.listen.map(|listen| ("listen", listen.to_string())));
    config::load(&given).map_err(|faults| config::commands::faulty(&faults))
}

async fn serve(config: &Config, metrics: PrometheusHandle, with_demo: bool) -> Outcome {
    let options = config.serve_options();
    let media = config.media().map_err(|faults| config::commands::faulty(&faults))?;
    let dir = config.folder();
    dir.check_free()?;
    // Before anything is made, the folder included: a port that is taken is the commonest reason not to start.
    let listener = yinxin_http::bind(config.listen, options.backlog).await.map_err(|fault| {
        let listen = config.listen;
        Failure::failed(format!("cannot listen on {listen}: {fault}; choose another address with --listen"))
    })?;
    let mut stops = Stops::new()?;
    let folder = &dir.lock()?;
    logs::warn_if_open(folder.dir());
    let is_first = folder.begin_first_start()?;
    let registry = Registry::new(Bounds { sessions_max: config.connections.to_usize(), ..Bounds::default() });
    let (ctx, key) = open(config, folder, Arc::clone(&registry)).await?;
    // Before anybody can connect.
    let calls = Calls::start(&ctx, config).await;
    let url = announce(&listener, folder)?;
    if is_first {
        if with_demo {
            demo::make(&ctx, folder.dir(), &url).await?;
        }
        folder.finish_first_start()?;
    }
    let draining = Draining::default();
    let router = routes::assemble(config, media, &ctx, Arc::clone(&registry), key, metrics, draining.clone());
    let cleaning = tokio::spawn(cleaning::keep_clean(Arc::clone(&ctx)));
    // Connections are accepted from here on: those that come before `serve` runs wait in the backlog.
    print::out(&format!("yinxin listening on {}", listening(&listener)?));
    let chores = tokio::spawn(chores::run(Arc::clone(&ctx)));
    let rooms = Arc::clone(&ctx.rooms);
    let shutdown = async move {
        let name = stops.first().await;
        tracing::info!(signal = name, "stopping: finishing the requests in flight");
        draining.begin();
        registry.stop();
        rooms.stop();
    };
    let drained = yinxin_http::serve(listener, router, options, shutdown).await;
    chores.abort();
    cleaning.abort();
    // The last connections have told how they ended.
    calls.stop().await;
    close(ctx, folder).await;
    tracing::info!(connections_cut = drained.cut, "stopped");
    Ok(())
}

async fn open(config: &Config, folder: &LockedDir, sessions: Arc<Registry>) -> Outcome<(Arc<Ctx>, AdminKey)> {
    let rng = Arc::new(SystemRng);
    let master = folder.master_key(rng.as_ref())?;
    let key = folder.admin_key(rng.as_ref())?;
    let parts = Parts {
        clock: Arc::new(SystemClock),
        rng,
        sessions,
        courier: calls::courier(config)?,
        limits: config.limits(),
        preset: config.rate_preset,
        hash_cost: config.hash_cost(),
        files: config.file_setup(folder.dir())?,
        master,
    };
    let database = folder.dir().database();
    let ctx = Ctx::open(&Database::Sqlite(SqliteOptions::at(database.clone())), parts).await.map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        let what = match error.code {
            Code::FileStore => "the place of uploaded files (files.*)".to_owned(),
            _ => database.display().to_string(),
        };
        Failure::failed(format!("cannot open {what}: {why}; `yinxin doctor` may know more"))
    })?;
    Ok((ctx, key))
}

fn announce(listener: &TcpListener, folder: &LockedDir) -> Outcome<String> {
    let address =
        listener.local_addr().map_err(|fault| Failure::failed(format!("the socket has no address: {fault}")))?;
    folder.announce(address)
}

fn listening(listener: &TcpListener) -> Outcome<String> {
    let address =
        listener.local_addr().map_err(|fault| Failure::failed(format!("the socket has no address: {fault}")))?;
    Ok(format!("http://{address}"))
}

/// Takes the address back, then finishes the writes that are queued.
async fn close(ctx: Arc<Ctx>, folder: &LockedDir) {
    folder.withdraw();
    ctx.db.close().await;
}

/// The signals that end a server.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn new() -> Outcome<Self> {
        let on = |kind| signal(kind).map_err(|fault| Failure::failed(format!("cannot listen for signals: {fault}")));
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn first(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
