//! Requests and responses of REST.

use std::time::Instant;

use crate::{
    blocks::Block,
    common::{DEADLINE, Response, Server, text_of},
    pattern::Values,
};

/// Returns an error that says what of a response is not as `expected` (the lines behind `<`)
/// shows it.
fn compare(response: &Response, expected: &[&str], values: &mut Values) -> Result<(), String> {
    let header = |name: &str| {
        let value = response.header(&name.to_ascii_lowercase());
        value.unwrap_or_default()
    };
    let mut lines = expected.iter();
    let start = lines.next().unwrap();
    let found = format!("{} {}", response.status, header("content-type"));
    if *start != found.trim_end() {
        return Err(found);
    }
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        let found = header(name);
        let differs = |_| format!("{name}: {found}");
        values.matches(value, found).map_err(differs)?;
    }
    let body: String = lines.copied().collect();
    let body = body.replace(r"\r\n", "\r\n");
    let differs = |rest: &str| format!("{:?}, different at {rest:?}", response.text());
    values.matches(&body, response.text()).map_err(differs)
}

/// Sends the requests of a block, and compares the responses.
pub(crate) fn run(block: &Block) {
    let server = block.server();
    let mut values = Values::new();
    let lines = block.lines();
    let mut lines = lines.iter().map(String::as_str).peekable();
    while let Some(line) = lines.next() {
        if let Some(event) = line.strip_prefix("host> ") {
            server.host_writes_text(event);
        } else if let Some(event) = line.strip_prefix("host< ") {
            values.expect(block, event, &text_of(&server.host_reads()));
        } else {
            let mut side = |sign| -> Vec<&str> {
                let lines = std::iter::from_fn(|| lines.next_if(|line| line.starts_with(sign)));
                lines.map(|line| line[1..].trim_start()).collect()
            };
            let mut request = vec![line.strip_prefix("> ").expect("a request")];
            request.extend(side('>'));
            let request: Vec<_> = request.iter().map(|line| values.fill(line)).collect();
            let response = side('<');
            exchange(block, &server, &request, &response, &mut values);
        }
    }
}

/// Sends a request and compares the response. `status` is asked again while the events that it
/// shows are on their way.
fn exchange(
    block: &Block,
    server: &Server,
    request: &[String],
    expected: &[&str],
    values: &mut Values,
) {
    let start = Instant::now();
    loop {
        let response = send(server, request);
        let Err(error) = compare(&response, expected, values) else {
            return;
        };
        let may_change = request[0].contains("op=status") && start.elapsed() < DEADLINE;
        assert!(may_change, "{block}: {}: found {error}", request[0]);
    }
}

/// Sends a request: its first line without the version, headers and, behind an empty line, the
/// body.
fn send(server: &Server, request: &[String]) -> Response {
    let mut parts = request.splitn(2, String::is_empty);
    let head = parts.next().unwrap();
    let body = parts.next().unwrap_or_default().concat();
    let (method, target) = head[0].split_once(' ').unwrap();
    let headers = head[1..].iter().map(|line| line.split_once(": ").unwrap());
    server.request(method, target, &headers.collect::<Vec<_>>(), &body)
}

/// Sends the measurements of a block, and compares the events that the host gets.
pub(crate) fn run_measurements(block: &Block) {
    let server = block.server();
    for line in block.text.lines() {
        let (parameters, expected) = line.split_once(" = ").unwrap();
        let login = "vscpuser=admin&vscpsecret=secret&format=json";
        let target = format!("GET /rest?op=measurement&{login}&{parameters}");
        let reply = send(&server, &[target]).json();
        let found = match reply["code"].as_i64().unwrap() {
            1 => {
                let event = server.host_reads();
                let data: Vec<_> = event.data.iter().map(|b| format!("{b:02X}")).collect();
                format!("{},{} {}", event.class, event.kind, data.join(" "))
            }
            code => format!("error {code}"),
        };
        assert_eq!(found, expected, "{block}: {parameters}");
    }
}
