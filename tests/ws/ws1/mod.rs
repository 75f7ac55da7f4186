//! The protocol ws1, message by message.

mod commands;
mod events;
mod filters;
mod login;

use vscpl2drv_websocksrv::ws::Protocol;

const WS1: Protocol = Protocol::Ws1;
