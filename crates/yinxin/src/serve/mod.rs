//! `yinxin serve`: the order in which a server starts and ends.
//!
//! Nothing is made before the command line, the configuration and the address are known to be right; nothing is printed to standard
//! output but the demo block and the line that says where the server listens.

mod calls;
mod chores;
mod cleaning;
mod demo;
mod logs;
mod nodes;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::Mode;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use yinxin_admin::AdminKey;
use yinxin_core::clock::SystemClock;
use yinxin_core::ctx::Parts;
use yinxin_core::rng::{Rng, SystemRng};
use yinxin_core::{Code, Ctx, Database};
use yinxin_http::ServeOptions;
use yinxin_http::metrics::PrometheusHandle;
use yinxin_http::probes::Draining;
use yinxin_realtime::{Bounds, Registry};

use crate::args::ServeArgs;
use crate::config::{self, Config, Given};
use crate::data::{DataDir, LockedDir};
use crate::exit::{Failure, Outcome};
use crate::print;
use calls::Calls;
use nodes::Node;

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
    let folder = &take(config, &dir).await?;
    let mut held = nodes::hold(config, address_of(&listener)?).await?;
    logs::warn_if_open(folder.dir());
    let is_first = folder.begin_first_start()?;
    let bounds = Bounds { sessions_max: config.connections.to_usize(), ..Bounds::default() };
    let is_one_of_many = config.cluster_name.0.is_some();
    let registry = Registry::new(if is_one_of_many { bounds.of_node() } else { bounds });
    let (ctx, key) = open(config, folder, address_of(&listener)?, Arc::clone(&registry)).await?;
    let mut node = Node::start(&ctx);
    // Before anybody can connect.
    let mut calls = Calls::start(&ctx, config).await;
    let url = announce(&listener, folder)?;
    if is_first {
        if with_demo {
            demo::make(&ctx, folder.dir(), &url).await?;
        }
        folder.finish_first_start()?;
    }
    let draining = Draining::default();
    let router = routes::assemble(config, media, &ctx, Arc::clone(&registry), key, metrics, draining.clone());
    let mut cleaning = tokio::spawn(cleaning::keep_clean(Arc::clone(&ctx)));
    // Connections are accepted from here on: those that come before `serve` runs wait in the backlog.
    print::out(&format!("yinxin listening on {}", listening(&listener)?));
    let mut chores = tokio::spawn(chores::run(Arc::clone(&ctx)));
    let rooms = Arc::clone(&ctx.rooms);
    let over = if ctx.cluster.is_some() { config.cluster_drain() } else { Duration::ZERO };
    let options = ServeOptions { drain_timeout: options.drain_timeout + over, ..options };
    let (stop, stopped) = oneshot::channel();
    // From the first word on nobody comes in any more: whoever is sent away would come back.
    let serving = yinxin_http::serve(listener, router, options, async { drop(stopped.await) });
    let stopping = async {
        let fallen = tokio::select! {
            name = stops.first() => {
                tracing::info!(signal = name, "stopping: finishing the requests in flight");
                None
            }
            () = node.fall() => Some(panicked("what keeps this node in its cluster")),
            () = calls.fall() => Some(panicked("what calls hooks")),
            _panicked = &mut chores => Some(panicked("what does the chores")),
            _panicked = &mut cleaning => Some(panicked("what cleans the place of uploaded files")),
            taken = held.lost() => Some(taken),
        };
        if let Some(why) = &fallen {
            tracing::error!("the server cannot go on and stops: {}", why.message);
        }
        draining.begin();
        let _over = stop.send(());
        if let Some(cluster) = &ctx.cluster {
            // The others take them: they need not come all at once.
            cluster.send_away(over).await;
        }
        registry.stop();
        rooms.stop();
        fallen
    };
    let (drained, fallen) = tokio::join!(serving, stopping);
    chores.abort();
    cleaning.abort();
    // The last connections have told how they ended.
    calls.stop().await;
    node.stop().await;
    close(ctx, folder).await;
    tracing::info!(connections_cut = drained.cut, "stopped");
    fallen.map_or(Ok(()), Err)
}

fn panicked(what: &str) -> Failure {
    Failure::failed(format!("{what} has panicked; the log says where"))
}

/// Takes the folder for this process, which knows from then on whether there is a database already.
async fn take(config: &Config, dir: &DataDir) -> Outcome<LockedDir> {
    let folder = dir.lock()?;
    let Some(server) = config.postgres().map_err(|faults| config::commands::faulty(&faults))? else {
        return Ok(folder);
    };
    let found = yinxin_core::survey(&server).await.map_err(|fault| {
        Failure::failed(format!("cannot open the database (database.url): {fault}; `yinxin doctor` may know more"))
    })?;
    Ok(folder.with_database_elsewhere(found.in_use))
}

async fn open(
    config: &Config,
    folder: &LockedDir,
    listens: SocketAddr,
    sessions: Arc<Registry>,
) -> Outcome<(Arc<Ctx>, AdminKey)> {
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let master = folder.master_key(rng.as_ref())?;
    let key = folder.admin_key(rng.as_ref())?;
    let cluster = nodes::setup(config, listens, &rng).await?;
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
        cluster,
    };
    let database = config.database(folder.dir()).map_err(|faults| config::commands::faulty(&faults))?;
    let ctx = Ctx::open(&database, parts).await.map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        let what = match error.code {
            Code::FileStore => "the place of uploaded files (files.*)".to_owned(),
            _ => match &database {
                Database::Sqlite(options) => options.path.display().to_string(),
                Database::Postgres(_) => "the database (database.url)".to_owned(),
            },
        };
        Failure::failed(format!("cannot open {what}: {why}; `yinxin doctor` may know more"))
    })?;
    Ok((ctx, key))
}

fn announce(listener: &TcpListener, folder: &LockedDir) -> Outcome<String> {
    folder.announce(address_of(listener)?)
}

fn listening(listener: &TcpListener) -> Outcome<String> {
    Ok(format!("http://{}", address_of(listener)?))
}

fn address_of(listener: &TcpListener) -> Outcome<SocketAddr> {
    listener.local_addr().map_err(|fault| Failure::failed(format!("the socket has no address: {fault}")))
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
