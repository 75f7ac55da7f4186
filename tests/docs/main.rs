//! The examples of `docs/`, executed: what a page shows is what runs. `docs/README.md` explains how
//! they are written; programs in other languages are run by `tests/docs-clients/run`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod blocks;
mod can;
#[path = "../common/mod.rs"]
mod common;
mod login;
mod pages;
mod pattern;
mod rest;
mod tables;
mod transcript;

use vscpl2drv_websocksrv::ws::Protocol;

#[test]
fn the_ws1_transcripts_are_what_the_driver_says() {
    for block in blocks::tagged("ws1") {
        transcript::run(&block, Protocol::Ws1);
    }
}

#[test]
fn the_ws2_transcripts_are_what_the_driver_says() {
    for block in blocks::tagged("ws2") {
        transcript::run(&block, Protocol::Ws2);
    }
}

#[test]
fn the_login_blobs_are_encrypted_as_shown_and_accepted() {
    blocks::tagged("login").iter().for_each(login::run);
}

#[test]
fn the_rest_requests_get_the_responses_shown() {
    blocks::tagged("rest").iter().for_each(rest::run);
}

#[test]
fn the_measurements_are_the_events_shown() {
    blocks::tagged("measurement")
        .iter()
        .for_each(rest::run_measurements);
}

#[test]
fn the_events_are_received_as_shown_or_refused() {
    blocks::tagged("event").iter().for_each(tables::run_events);
}

#[test]
fn the_filters_let_the_events_shown_pass() {
    blocks::tagged("filter")
        .iter()
        .for_each(tables::run_filters);
}

#[test]
fn the_commands_to_the_driver_get_the_replies_shown() {
    blocks::tagged("hlo").iter().for_each(tables::run_commands);
}

#[test]
fn the_frames_are_the_events_shown() {
    blocks::tagged("can").iter().for_each(can::run);
}
