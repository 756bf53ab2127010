//! Connections that tests pretend, and what was asked of them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use yinxin_core::sessions::{CloseReason, Device, LocalSessions};
use yinxin_core::{AppId, UserId};

/// The port to connected devices: nobody but the devices that a test puts here, and a list of what was closed.
#[derive(Default)]
pub struct Connections {
    devices: Mutex<BTreeMap<(AppId, UserId), Vec<Device>>>,
    closed: Mutex<Vec<Close>>,
}

/// One request to close connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Close {
    /// The user's id as replies print it.
    pub user: String,
    pub resource: Option<String>,
    pub reason: CloseReason,
}

impl Connections {
    /// Pretends that a device of the user is connected.
    pub fn connect(&self, app: AppId, user: &str, resource: &str) {
        let device = Device {
            note: String::new(),
            since_ms: 0,
            resource: resource.to_owned(),
            device_uuid: format!("uuid of {resource}"),
            device_name: format!("name of {resource}"),
        };
        let user = UserId(uuid::Uuid::parse_str(user).unwrap().into_bytes());
        self.devices.lock().unwrap().entry((app, user)).or_default().push(device);
    }

    /// What was to be closed since the last time.
    pub fn take_closed(&self) -> Vec<Close> {
        std::mem::take(&mut self.closed.lock().unwrap())
    }
}

impl LocalSessions for Connections {
    fn is_online(&self, app: AppId, user: UserId) -> bool {
        !self.devices_of(app, user).is_empty()
    }

    fn devices_of(&self, app: AppId, user: UserId) -> Vec<Device> {
        self.devices.lock().unwrap().get(&(app, user)).cloned().unwrap_or_default()
    }

    fn close(&self, app: AppId, user: UserId, resource: Option<&str>, reason: CloseReason) {
        if let Some(devices) = self.devices.lock().unwrap().get_mut(&(app, user)) {
            devices.retain(|device| resource.is_some_and(|resource| device.resource != resource));
        }
        let close =
            Close { user: uuid::Uuid::from_bytes(user.0).to_string(), resource: resource.map(str::to_owned), reason };
        self.closed.lock().unwrap().push(close);
    }
}
