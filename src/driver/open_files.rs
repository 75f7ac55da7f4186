//! How the open files that the process may have are shared out between the host and the clients.

use std::fmt;

use nix::sys::resource::{Resource, getrlimit};

use crate::client::registry::Limits;

/// A quarter of the open files is left to the host, but no more than [`MAX_HOST`].
const HOST_PART: usize = 4;

/// The largest number of open files that is left to the host.
const MAX_HOST: usize = 1024;

/// There is an HTTP connection for four open files, but no more than [`MAX_CONNECTIONS`].
const CONNECTIONS_PART: usize = 4;

/// The largest number of HTTP connections.
const MAX_CONNECTIONS: usize = 512;

/// The open files of an HTTP connection: its socket, and a file that it sends.
const FILES_PER_CONNECTION: usize = 2;

/// An eighth of the open files may be websocket clients that have not logged in, but no more than
/// `max-auth-pending`.
const PENDING_PART: usize = 8;

/// The shares of the open files of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenFiles {
    /// How many there may be: the soft limit RLIMIT_NOFILE, which the driver does not raise.
    all: usize,
    host: usize,
    /// The number of HTTP connections.
    pub(super) connections: usize,
    pending: usize,
    clients: usize,
}

impl OpenFiles {
    /// Shares out the open files that the process may have. `max_pending` is the number of
    /// websocket clients without login that are asked for.
    pub(super) fn of_process(max_pending: usize) -> Self {
        // It cannot fail for this resource.
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        Self::share_out(usize::try_from(limit).unwrap_or(usize::MAX), max_pending)
    }

    fn share_out(all: usize, max_pending: usize) -> Self {
        let host = (all / HOST_PART).min(MAX_HOST);
        let connections = (all / CONNECTIONS_PART).min(MAX_CONNECTIONS);
        let pending = (all / PENDING_PART).min(max_pending);
        Self {
            all,
            host,
            connections,
            pending,
            clients: all - host - FILES_PER_CONNECTION * connections - pending,
        }
    }

    /// Lowers the numbers of websocket clients to those that there are open files for. Warns if
    /// more are asked for.
    pub(super) fn limit(&self, asked: Limits) -> Limits {
        let max = asked.max_websockets;
        if max > self.clients {
            tracing::warn!(
                "max-clients is {max}, but there are only {} open files for them: raise the limit \
                 of the process (LimitNOFILE of systemd, ulimit -n), which is {}",
                self.clients,
                self.all
            );
        }
        Limits {
            max_websockets: match max {
                0 => self.clients,
                max => max.min(self.clients),
            },
            max_pending: self.pending,
            ..asked
        }
    }
}

impl fmt::Display for OpenFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            all,
            host,
            connections,
            pending,
            clients,
        } = self;
        write!(
            f,
            "{all} open files: at least {host} for the host, {connections} HTTP connections that \
             may each send a file, {pending} websocket clients that have not logged in, {clients} \
             others"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_log::TestLog;

    const ASKED: Limits = Limits {
        max_websockets: 100,
        max_sessions: 100,
        max_per_address: 0,
        max_pending: 64,
    };

    #[test]
    fn the_host_keeps_a_part_however_many_files_there_may_be() {
        for (all, host, connections, pending, clients) in [
            (1024, 256, 256, 64, 192),
            (256, 64, 64, 32, 32),
            (16, 4, 4, 2, 2),
            (20_000, 1024, 512, 64, 17_888),
            (0, 0, 0, 0, 0),
        ] {
            let expected = OpenFiles {
                all,
                host,
                connections,
                pending,
                clients,
            };
            assert_eq!(OpenFiles::share_out(all, 64), expected);
        }
        let unlimited = OpenFiles::share_out(usize::MAX, 64);
        assert_eq!((unlimited.host, unlimited.connections), (1024, 512));
    }

    #[test]
    fn clients_that_there_are_no_files_for_are_not_admitted_and_that_is_said() {
        let files = OpenFiles::share_out(1024, 64);
        let log = TestLog::start();
        for (asked, limit, warnings) in [(100, 100, 0), (192, 192, 0), (0, 192, 0), (500, 192, 1)] {
            let limits = files.limit(Limits {
                max_websockets: asked,
                ..ASKED
            });
            assert_eq!(limits.max_websockets, limit, "{asked}");
            assert_eq!((limits.max_sessions, limits.max_pending), (100, 64));
            assert_eq!(log.take().len(), warnings, "{asked}");
        }
    }
}
