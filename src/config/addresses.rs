//! The key `interface`: the addresses to listen on.

use super::{keys, section::Section};
use crate::{
    http::Listen,
    located_json::{ConfigError, Finding, Node, Position, Warnings},
};

/// The addresses to listen on.
pub(super) struct Addresses<'s> {
    /// The addresses, of which there is at least one.
    pub(super) listen: Vec<Listen>,
    /// Where each of them is written.
    pub(super) positions: Vec<Position>,
    /// The first one that asks for TLS, as it is written.
    pub(super) secure: Option<Node<'s>>,
}

impl Addresses<'_> {
    /// Returns the default address, for a text with the name `source`.
    pub(super) fn of_default(source: &str) -> Self {
        Self {
            listen: vec![Listen::default()],
            positions: vec![default_position(source)],
            secure: None,
        }
    }

    /// Returns true if only this machine can reach them.
    pub(super) fn are_local(&self) -> bool {
        self.listen.iter().all(Listen::is_local)
    }

    /// Warns if passwords in requests can be read on the way; `what` sends them.
    pub(super) fn warn_of_plain_passwords(&self, what: &str, warnings: &mut Warnings) {
        let mut addresses = self.listen.iter().zip(&self.positions);
        let is_plain = |address: &Listen| !address.tls && !address.is_local();
        if let Some((_, position)) = addresses.find(|(address, _)| is_plain(address)) {
            let found = format!("{what} can be read on the network");
            warnings.add(Finding::new(position.clone(), found).with_hint("use wss://"));
        }
    }
}

fn default_position(source: &str) -> Position {
    Position::of_text(source).with_key(keys::INTERFACE.name())
}

/// Reads the addresses to listen on, from a text with the name `source`. Fails if one is wrong or
/// the list is empty.
pub(super) fn read<'s>(
    source: &str,
    section: &mut Section<'s, '_>,
) -> Result<Addresses<'s>, ConfigError> {
    let node = section.node(&keys::INTERFACE)?;
    let listen = keys::INTERFACE.read(node.as_ref(), section.warnings())?;
    let Some(node) = node else {
        return Ok(Addresses {
            positions: vec![default_position(source); listen.len()],
            listen,
            secure: None,
        });
    };
    if listen.is_empty() {
        return Err(node.error("at least one address"));
    }
    let elements = node.elements()?;
    let positions = elements.iter().map(Node::position).collect();
    let secure = elements.into_iter().zip(&listen);
    let mut secure = secure.filter(|(_, address)| address.tls);
    Ok(Addresses {
        secure: secure.next().map(|(element, _)| element),
        listen,
        positions,
    })
}
