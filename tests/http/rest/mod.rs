//! REST over real connections.

mod events;
mod formats;
mod logins;
mod requests;
mod sessions;

use serde_json::Value;

use crate::common::{Server, wait_until};

const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:02:00:00";

impl Server {
    /// Opens a session; its id.
    fn session(&self, user: &str) -> String {
        let url = format!("/rest?vscpuser={user}&vscpsecret=secret&format=json");
        let reply = self.get(&url).json();
        assert_eq!(reply["code"], 1, "{reply}");
        reply["vscpsession"].as_str().unwrap().to_owned()
    }

    /// Asks within a session, in JSON.
    fn ask(&self, sid: &str, parameters: &str) -> Value {
        self.get(&format!("/rest?vscpsession={sid}&format=json&{parameters}"))
            .json()
    }

    /// The code that a request within a session is answered with.
    fn code(&self, sid: &str, parameters: &str) -> i64 {
        self.ask(sid, parameters)["code"].as_i64().unwrap()
    }

    /// Waits until so many events are kept for a session.
    fn wait_for_events(&self, sid: &str, count: u64) {
        wait_until("so many events", || {
            self.ask(sid, "op=status")["nEvents"].as_u64() == Some(count)
        });
    }

    /// The code that a login is answered with.
    fn login_code(&self, parameters: &str) -> i64 {
        let reply = self.get(&format!("/rest?format=json&{parameters}")).json();
        reply["code"].as_i64().unwrap()
    }
}
