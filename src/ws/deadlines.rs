//! How long a client is waited for: for its login, its answers to pings, and for it to take what
//! is sent.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

use super::settings::Limits;

/// The shortest time between two checks of a deadline that is suspended.
const MIN_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Stands for no deadline.
const NO_DEADLINE: Duration = Duration::from_secs(86_400);

/// The times of one client.
#[derive(Debug)]
pub(super) struct Deadlines {
    /// The time of connect or logout, `None` while a user is logged in.
    logged_out: Option<Instant>,
    /// When the client last sent something.
    heard: Instant,
    pinged: Instant,
    /// Since when the socket takes nothing, and how much it had taken before.
    stalled: Option<(Instant, u64)>,
    timer: Pin<Box<Sleep>>,
}

/// A deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// To send a ping.
    Ping,
    /// To close: for too long nobody has logged in.
    NoLogin,
    /// To close: for too long nothing came.
    Silent,
    /// To close: for too long the socket took nothing.
    Slow,
}

/// The state of the connection that decides which deadlines count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// True if a password is being checked: the client is not late then.
    pub(super) login: bool,
    /// True if messages of the client are read, so that an answer to a ping would be seen.
    pub(super) reads: bool,
    /// True if messages wait for the end of a login. Whether the client is still there is looked at
    /// every second then.
    pub(super) holds_messages: bool,
}

impl Deadlines {
    /// Makes the deadlines of a new client.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            logged_out: Some(now),
            heard: now,
            pinged: now,
            stalled: None,
            // Fires at the first poll, which sets the real deadline.
            timer: Box::pin(tokio::time::sleep_until(now)),
        }
    }

    /// Notes that the client has sent something.
    pub(super) fn note_heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Notes a login or a logout.
    pub(super) fn note_login(&mut self, logged_in: bool, limits: &Limits) {
        if logged_in {
            self.logged_out = None;
        } else {
            let since = *self.logged_out.get_or_insert_with(Instant::now);
            self.wake_by(since + limits.auth_timeout);
        }
    }

    /// The socket has taken all.
    pub(super) fn note_sent(&mut self) {
        self.stalled = None;
    }

    /// The socket takes no more for now, and has taken `written` bytes in all.
    pub(super) fn note_stall(&mut self, written: u64, limits: &Limits) {
        let goes_on = |(_, before)| before != written;
        if self.stalled.is_none_or(goes_on) {
            self.stalled = Some((Instant::now(), written));
        }
        if let Some((since, _)) = self.stalled {
            self.wake_by(since + limits.write_timeout);
        }
    }

    /// Polls the deadlines. Ready with the first that has expired.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        limits: &Limits,
        waiting: Waiting,
    ) -> Poll<Expired> {
        if waiting.holds_messages {
            self.wake_by(Instant::now() + MIN_CHECK_INTERVAL);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let mut next = match waiting.holds_messages {
                true => now + MIN_CHECK_INTERVAL,
                false => now + NO_DEADLINE,
            };
            if let Some((since, _)) = self.stalled {
                let deadline = since + limits.write_timeout;
                if now >= deadline {
                    return Poll::Ready(Expired::Slow);
                }
                next = next.min(deadline);
            }
            if let Some(since) = self.logged_out {
                let deadline = since + limits.auth_timeout;
                if now >= deadline && !waiting.login {
                    return Poll::Ready(Expired::NoLogin);
                }
                next = next.min(deadline.max(now + MIN_CHECK_INTERVAL));
            }
            if let Some(interval) = limits.ping_interval {
                let silent = self.heard + limits.ping_timeout;
                if now >= silent && waiting.reads {
                    return Poll::Ready(Expired::Silent);
                }
                if now >= self.pinged + interval {
                    self.pinged = now;
                    return Poll::Ready(Expired::Ping);
                }
                let silent = silent.max(now + MIN_CHECK_INTERVAL);
                next = next.min(silent).min(self.pinged + interval);
            }
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Has the timer go off at `deadline` at the latest.
    fn wake_by(&mut self, deadline: Instant) {
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const READS: Waiting = Waiting {
        login: false,
        reads: true,
        holds_messages: false,
    };

    fn limits() -> Limits {
        Limits {
            auth_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(10),
            ping_interval: Some(Duration::from_secs(20)),
            ping_timeout: Duration::from_secs(50),
            ..Limits::default()
        }
    }

    /// The next that is due, and after how many seconds.
    async fn next(deadlines: &mut Deadlines, waiting: Waiting) -> (Expired, u64) {
        let start = Instant::now();
        let limits = limits();
        let due = poll_fn(|context| deadlines.poll(context, &limits, waiting)).await;
        (due, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_due_in_its_time_unless_it_is_being_checked() {
        let mut deadlines = Deadlines::new();
        assert_eq!(next(&mut deadlines, READS).await, (Expired::NoLogin, 5));
        let checked = Waiting {
            login: true,
            ..READS
        };
        assert_eq!(next(&mut deadlines, checked).await, (Expired::Ping, 15));
        assert_eq!(next(&mut deadlines, READS).await, (Expired::NoLogin, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn pings_come_at_their_interval_and_silence_ends_the_wait() {
        let mut deadlines = Deadlines::new();
        deadlines.note_login(true, &limits());
        assert_eq!(next(&mut deadlines, READS).await, (Expired::Ping, 20));
        assert_eq!(next(&mut deadlines, READS).await, (Expired::Ping, 20));
        deadlines.note_heard();
        for _ in 0..2 {
            assert_eq!(next(&mut deadlines, READS).await, (Expired::Ping, 20));
        }
        assert_eq!(next(&mut deadlines, READS).await, (Expired::Silent, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_not_read_is_not_silent() {
        let mut deadlines = Deadlines::new();
        deadlines.note_login(true, &limits());
        let held = Waiting {
            reads: false,
            ..READS
        };
        for _ in 0..5 {
            assert_eq!(next(&mut deadlines, held).await, (Expired::Ping, 20));
        }
        assert_eq!(next(&mut deadlines, READS).await.0, Expired::Silent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_takes_nothing_is_slow_and_one_that_takes_a_little_is_not() {
        let mut deadlines = Deadlines::new();
        deadlines.note_login(true, &limits());
        deadlines.note_stall(100, &limits());
        tokio::time::advance(Duration::from_secs(6)).await;
        deadlines.note_stall(101, &limits());
        tokio::time::advance(Duration::from_secs(3)).await;
        deadlines.note_stall(101, &limits());
        assert_eq!(next(&mut deadlines, READS).await, (Expired::Slow, 7));
        deadlines.note_sent();
        deadlines.note_heard();
        assert_eq!(next(&mut deadlines, READS).await.0, Expired::Ping);
    }

    #[tokio::test(start_paused = true)]
    async fn without_pings_nothing_is_due() {
        let mut deadlines = Deadlines::new();
        deadlines.note_login(true, &limits());
        let limits = Limits {
            ping_interval: None,
            ..limits()
        };
        let due = poll_fn(|context| deadlines.poll(context, &limits, READS));
        let year = Duration::from_secs(365 * 86_400);
        assert!(tokio::time::timeout(year, due).await.is_err());
    }
}
