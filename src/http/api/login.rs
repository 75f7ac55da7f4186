//! `/api/login` and `/api/logout`: a page logs in with name and password, and gets a cookie.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{HeaderValue, SET_COOKIE},
};
use serde::{Deserialize, Serialize};

use super::{
    Api,
    logins::NEEDED,
    reply::{ApiError, ApiResult, json},
    request::{ApiRequest, COOKIE_NAME, cookies},
    transport::Transport,
};
use crate::{
    auth::{Credentials, LoginError, User},
    client::{Login, SessionId},
    http::{PanelLogin, route::Peer, sender::Sender},
};

/// The answer to a page before it logs in, and after.
#[derive(Debug, Serialize)]
struct State<'u> {
    /// True if a page may log in with name and password.
    offered: bool,
    /// True if the password could be read on the network.
    insecure: bool,
    user: Option<Person<'u>>,
}

/// A user who is logged in.
#[derive(Debug, Serialize)]
struct Person<'u> {
    name: &'u str,
    fullname: &'u str,
    /// The words for the single rights; `admin` is for all of them.
    rights: Vec<&'static str>,
}

/// The body of a login.
#[derive(Deserialize)]
struct Body {
    user: String,
    password: String,
}

impl Api {
    /// Tells if and how a page can log in, and who is logged in.
    pub(super) fn login_state(&self, request: &ApiRequest<'_>) -> Response<Full<Bytes>> {
        let user = self.logged_in(request).map(|(_, user)| user);
        self.state(request, user.as_deref())
    }

    /// Logs a user in. Fails with 403 if no page may log in over this connection, with 401 for
    /// wrong credentials, and with 429 if too many have failed.
    pub(super) async fn log_in(&self, request: &ApiRequest<'_>) -> ApiResult {
        if !self.offers_login(request.transport()) {
            return Err(self.not_offered());
        }
        let expected = r#"{"user": "...", "password": "..."}"#;
        let Body { user, password } = request.json(expected)?;
        let peer = request.peer();
        let login = Login {
            credentials: Some(Credentials { user, password }),
            address: peer.address,
            needed: NEEDED,
            max_failures: self.max_failed_logins,
        };
        let user = login
            .run(&self.shared.authenticator, Some(&peer.place))
            .await
            .map_err(|error| match error {
                LoginError::TooManyWaiting | LoginError::TooManyFailures => {
                    ApiError::too_many("Too many logins have failed. Try again later.")
                }
                // One answer for all three: it must not tell which users there are.
                LoginError::UnknownUser
                | LoginError::ForbiddenAddress
                | LoginError::WrongPassword => {
                    ApiError::wrong_credentials("The name or the password is wrong.")
                }
            })?;
        let id = self.logins.open(user.clone()).map_err(|error| {
            tracing::error!("login of {} refused: no random id: {error}", user.name);
            let text = "The system has no random numbers.";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, text)
        })?;
        // Ends the login of the cookie that the browser has sent: the new cookie will replace it.
        if let Some((old, _)) = self.logged_in(request) {
            self.logins.close(old);
        }
        tracing::info!("{} logged in from {} with a page", user.name, peer.address);
        let mut response = self.state(request, Some(&user));
        set_cookie(&mut response, &id.hex(), "", request.transport());
        Ok(response)
    }

    /// Ends the login of the cookie, and the websockets that it has opened.
    pub(super) fn log_out(&self, request: &ApiRequest<'_>) -> Response<Full<Bytes>> {
        let address = request.peer().address;
        for id in cookies(request.headers()) {
            if let Some(user) = self.logins.close(id) {
                tracing::info!("{} logged out from {address}", user.name);
            }
        }
        let mut response = self.state(request, None);
        set_cookie(&mut response, "", "; Max-Age=0", request.transport());
        response
    }

    /// Returns the login that the cookie of a request stands for, and its user. That of a request
    /// that another page has made the browser send counts for nothing.
    pub(super) fn logged_in(&self, request: &ApiRequest<'_>) -> Option<(SessionId, Arc<User>)> {
        if request.sender() == Sender::OtherPage {
            return None;
        }
        self.find(request.peer(), request.transport(), request.headers())
    }

    /// Returns the login that the cookie of a request for a websocket stands for, and its user. The
    /// page must be one of this server: a browser lets every page open a websocket.
    pub(in crate::http) fn login_of_websocket(
        &self,
        peer: &Peer,
        headers: &HeaderMap,
    ) -> Option<(SessionId, Arc<User>)> {
        let transport = Transport::of(peer, headers);
        let sender = Sender::by_origin(headers, transport == Transport::Encrypted);
        if sender != Sender::OwnPage {
            return None;
        }
        self.find(peer, transport, headers)
    }

    /// Returns true if a login has not ended, and may be used from the address of a client.
    pub(in crate::http) fn is_login(&self, peer: &Peer, id: SessionId) -> bool {
        self.logins.find(id, peer.address).is_some()
    }

    fn find(
        &self,
        peer: &Peer,
        transport: Transport,
        headers: &HeaderMap,
    ) -> Option<(SessionId, Arc<User>)> {
        if !self.offers_login(transport) {
            return None;
        }
        let mut ids = cookies(headers);
        ids.find_map(|id| Some((id, self.logins.find(id, peer.address)?)))
    }

    fn offers_login(&self, transport: Transport) -> bool {
        match self.panel_login {
            PanelLogin::Off => false,
            PanelLogin::Tls => transport != Transport::Plain,
            PanelLogin::Any => true,
        }
    }

    fn not_offered(&self) -> ApiError {
        ApiError::forbidden(match self.panel_login {
            PanelLogin::Off => "Pages cannot log in with a password; see the key panel-login.",
            _ => {
                "The password could be read on the network: use https://, or see the key \
                 panel-login."
            }
        })
    }

    fn state(&self, request: &ApiRequest<'_>, user: Option<&User>) -> Response<Full<Bytes>> {
        let offered = self.offers_login(request.transport());
        let state = State {
            offered,
            insecure: offered && request.transport() == Transport::Plain,
            user: user.map(|user| Person {
                name: &user.name,
                fullname: &user.fullname,
                rights: user.rights.words().collect(),
            }),
        };
        json(StatusCode::OK, &state)
    }
}

/// Adds the cookie of a login. Scripts do not see it, and browsers send it with requests of pages
/// of this server only, until they are closed.
fn set_cookie(response: &mut Response<Full<Bytes>>, value: &str, life: &str, transport: Transport) {
    let secure = match transport {
        Transport::Encrypted => "; Secure",
        Transport::Loopback | Transport::Plain => "",
    };
    let cookie = format!("{COOKIE_NAME}={value}; Path=/{life}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}
