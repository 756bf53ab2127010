//! The operations, in one table that makes the router and that the OpenAPI document is checked against.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{self, MethodRouter};
use yinxin_core::{Code, Ctx};
use yinxin_http::metrics::OperationMetrics;

use crate::guard::{guard, measure};
use crate::key::AdminKey;
use crate::problem::Problem;
use crate::{admin_tokens, apps, hooks, import, openapi, reports, server, users};

/// Where the operations are.
pub(crate) const PREFIX: &str = "/admin/v1";

/// What the handlers share.
pub(crate) type Shared = Arc<Admin>;

/// See [`Shared`].
pub(crate) struct Admin {
    pub ctx: Arc<Ctx>,
    pub key: AdminKey,
    pub started_ms: i64,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its `operationId`, and its name in metrics.
    pub id: &'static str,
    /// The method in lower case.
    pub method: &'static str,
    /// The path below `/admin/v1`.
    pub path: &'static str,
}

macro_rules! operations {
    ($($id:ident: $method:ident $path:literal => $handler:path,)*) => {
        /// Every operation that needs the key.
        pub const OPERATIONS: &[Operation] = &[
            $(Operation { id: stringify!($id), method: stringify!($method), path: $path },)*
        ];

        fn operations() -> Router<Shared> {
            Router::new()$(.route($path, measured(stringify!($id), routing::$method($handler))))*
        }
    };
}

operations! {
    create_app: post "/apps" => apps::create,
    list_apps: get "/apps" => apps::list,
    show_app: get "/apps/{org}/{app}" => apps::show,
    change_app: patch "/apps/{org}/{app}" => apps::change,
    delete_app: delete "/apps/{org}/{app}" => apps::delete,
    rotate_app_secret: post "/apps/{org}/{app}/rotate-secret" => apps::rotate_secret,
    adopt_netease_keys: put "/apps/{org}/{app}/netease-keys" => apps::adopt_keys,
    adopt_lanying_keys: put "/apps/{org}/{app}/lanying-keys" => admin_tokens::adopt,
    create_admin_token: post "/apps/{org}/{app}/admin-tokens" => admin_tokens::create,
    list_admin_tokens: get "/apps/{org}/{app}/admin-tokens" => admin_tokens::list,
    revoke_admin_token: delete "/apps/{org}/{app}/admin-tokens/{token}" => admin_tokens::revoke,
    create_hook: post "/apps/{org}/{app}/hooks" => hooks::create,
    list_hooks: get "/apps/{org}/{app}/hooks" => hooks::list,
    show_hook: get "/apps/{org}/{app}/hooks/{hook}" => hooks::show,
    change_hook: patch "/apps/{org}/{app}/hooks/{hook}" => hooks::change,
    delete_hook: delete "/apps/{org}/{app}/hooks/{hook}" => hooks::delete,
    rotate_hook_secret: post "/apps/{org}/{app}/hooks/{hook}/rotate-secret" => hooks::rotate_secret,
    show_hook_log: get "/apps/{org}/{app}/hooks/{hook}/log" => hooks::log,
    redeliver_events: post "/apps/{org}/{app}/hooks/{hook}/redeliver" => hooks::redeliver,
    test_hook: post "/apps/{org}/{app}/hooks/{hook}/test" => hooks::test,
    list_reports: get "/apps/{org}/{app}/reports" => reports::list,
    create_user: post "/apps/{org}/{app}/users" => users::create,
    list_users: get "/apps/{org}/{app}/users" => users::list,
    import_users: post "/apps/{org}/{app}/users/import" => import::import,
    show_user: get "/apps/{org}/{app}/users/{name}" => users::show,
    delete_user: delete "/apps/{org}/{app}/users/{name}" => users::delete,
    ban_user: post "/apps/{org}/{app}/users/{name}/ban" => users::ban,
    unban_user: post "/apps/{org}/{app}/users/{name}/unban" => users::unban,
    kick_user: post "/apps/{org}/{app}/users/{name}/kick" => users::kick,
    set_user_password: post "/apps/{org}/{app}/users/{name}/password" => users::set_password,
    show_server: get "/server" => server::show,
}

fn measured(id: &'static str, route: MethodRouter<Shared>) -> MethodRouter<Shared> {
    route.route_layer(from_fn_with_state(Arc::new(OperationMetrics::new(id, "admin")), measure))
}

fn nothing<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    routing::any(|| async { Problem::from(Code::RouteNotFound) })
}

/// The admin API. Everything below `/admin` is answered here; nothing without the key but the OpenAPI document.
pub fn router(ctx: Arc<Ctx>, key: AdminKey) -> Router {
    let started_ms = ctx.clock.now_ms();
    let shared = Arc::new(Admin { ctx, key, started_ms });
    let wrong_method = || async { Problem::from(Code::MethodNotAllowed) };
    // Catch-all routes, not fallbacks: the router this one is merged into has one fallback, and it is a dialect's.
    let guarded = operations()
        .route("/", nothing())
        .route("/{*rest}", nothing())
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared);
    let open =
        Router::new().route("/openapi.json", routing::get(openapi::document)).method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest(PREFIX, guarded.merge(open))
        .route("/admin", nothing())
        .route("/admin/", nothing())
        .route("/admin/{*rest}", nothing())
        .layer(map_response(uncached))
}

/// Answers hold secrets and change at any time: nothing between here and the caller may keep them.
async fn uncached(mut response: Response) -> Result<Response, Infallible> {
    use axum::http::{HeaderValue, header};
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
