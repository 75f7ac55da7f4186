//! A page that has logged in.

use serde_json::{Value, json};

use crate::common::{Response, Server, wait_for};

/// A page, with the cookie of its user.
pub(crate) struct Page<'s> {
    server: &'s Server,
    cookie: String,
}

impl<'s> Page<'s> {
    /// Logs in with the password `secret`.
    pub(crate) fn login(server: &'s Server, user: &str) -> Self {
        let body = json!({"user": user, "password": "secret"}).to_string();
        let headers = [
            ("Content-Type", "application/json"),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        let reply = server.request("POST", "/api/login", &headers, &body);
        assert_eq!(reply.status, 200, "{reply:?}");
        let cookie = reply.header("set-cookie").unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { server, cookie }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.server
            .request("GET", path, &[("Cookie", &self.cookie)], "")
    }

    /// Returns the value of a path that answers 200.
    pub(crate) fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    /// Asks until the answer is as wanted, and returns that.
    pub(crate) fn wait_for(&self, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        wait_for(path, || {
            let value = self.json(path);
            is_wanted(&value).then_some(value)
        })
    }

    /// Sends a change of the version with this tag.
    pub(crate) fn change(
        &self,
        method: &str,
        path: &str,
        tag: Option<&str>,
        body: &Value,
    ) -> Response {
        let mut headers = vec![
            ("Cookie", self.cookie.as_str()),
            ("Content-Type", "application/json"),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        headers.extend(tag.map(|tag| ("If-Match", tag)));
        self.server
            .request(method, path, &headers, &body.to_string())
    }
}
