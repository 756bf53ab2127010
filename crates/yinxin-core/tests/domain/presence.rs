//! Presence: whoever watches a device that comes and goes quickly is told how it is in the end.

use yinxin_core::presence;
use yinxin_core::sessions::Device;

use crate::kit::Site;

fn device(resource: &str) -> Device {
    Device {
        resource: resource.to_owned(),
        device_uuid: String::new(),
        device_name: String::new(),
        note: String::new(),
        since_ms: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_comes_back_while_it_goes_is_here() {
    let site = Site::new().await;
    let ann = site.register("ann").await;
    let app = site.app.id;
    presence::publish(&site.ctx, &site.app, "ann", "phone", 1, Some("busy".to_owned())).await.unwrap();
    let connected = || site.setup.sessions.devices.lock().unwrap();
    for round in 0..300 {
        connected().clear();
        let come = async {
            connected().push((ann.user, device("phone")));
            presence::arrived(&site.ctx, app, &ann, "phone").await.unwrap();
        };
        let go = presence::left(&site.ctx, app, &ann, "phone");
        let (gone, ()) = tokio::join!(go, come);
        gone.unwrap();
        let names = Some(vec!["ann".to_owned()]);
        let seen = presence::of_many(&site.ctx, &site.app, "ann", names).await.unwrap().remove(0).devices;
        assert_eq!(seen.iter().map(|row| row.status).collect::<Vec<_>>(), [1], "round {round}");
    }
}
