//! Several drivers, each in a process of its own: one that crashes does not end the others.

use std::{
    error::Error,
    io::{self, BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    READY,
    notify::Notifier,
    signals::{Order, Signals},
};
use crate::message;

/// The pause before a driver is started again, and the longest one.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// After a run of so long the pause before the next start is [`PAUSE`] again.
const GOOD: Duration = Duration::from_secs(60);

/// How long a driver may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Runs a process for each driver until it is told to stop.
pub(super) async fn run(names: Vec<String>) -> Result<(), Box<dyn Error>> {
    let notifier = Notifier::new();
    let mut signals = Signals::new()?;
    let (told, mut states) = mpsc::channel(16);
    let (mut orders, mut tasks) = (Vec::new(), JoinSet::new());
    for name in &names {
        let (order, ordered) = mpsc::channel(4);
        orders.push(order);
        tasks.spawn(supervise(name.clone(), ordered, told.clone()));
    }
    drop(told);
    // Ready when each driver is open, or has failed for the first time.
    let mut waiting = names.len();
    loop {
        select! {
            Some(()) = states.recv(), if waiting > 0 => {
                waiting -= 1;
                if waiting == 0 {
                    notifier.tell("READY=1");
                }
            }
            () = sleep(notifier.watchdog.unwrap_or(MAX_PAUSE)) => notifier.tell("WATCHDOG=1"),
            order = signals.next() => {
                for sender in &orders {
                    // If a queue is full it has a reload already; its end, below, is a stop as well.
                    let _ = sender.try_send(order);
                }
                if order == Order::Stop {
                    notifier.tell("STOPPING=1");
                    break;
                }
            }
        }
    }
    drop(orders);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// Keeps the process of one driver running.
async fn supervise(name: String, mut orders: mpsc::Receiver<Order>, told: mpsc::Sender<()>) {
    let mut told = Some(told);
    let mut pause = PAUSE;
    loop {
        let start = Instant::now();
        let (was_ready, why) = match Process::spawn(&name) {
            Ok(process) => match attend(process, &mut orders, &mut told).await {
                Attended::Stopped => return,
                Attended::Ended(status, was_ready) => (was_ready, in_words(status)),
            },
            Err(error) => (false, format!("its process cannot be started: {error}")),
        };
        if let Some(told) = told.take() {
            let _ = told.send(()).await;
        }
        let when = if was_ready { "" } else { " before it was open" };
        pause = match start.elapsed() >= GOOD {
            true => PAUSE,
            false => pause,
        };
        message::problem(format_args!(
            "{name}: the driver has ended{when}: {why}; it is started again in {} s",
            pause.as_secs()
        ));
        select! {
            () = sleep(pause) => {}
            order = orders.recv() => match order {
                Some(Order::Reload) => {}
                Some(Order::Stop) | None => return,
            },
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// How the attention for a process has ended.
enum Attended {
    Stopped,
    /// The process has ended by itself; true if its driver was open.
    Ended(ExitStatus, bool),
}

/// The process of a driver.
struct Process {
    /// Its standard input is a pipe from this process. When that closes, the child ends.
    child: Child,
    /// The lines that it prints.
    lines: mpsc::Receiver<String>,
    /// Resolves when the child has ended. It has not been reaped then, so that no other process can
    /// have its pid.
    ended: oneshot::Receiver<()>,
}

impl Process {
    /// Starts the process of a driver: this program with the same arguments, which name it.
    fn spawn(name: &str) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .arg("--only")
            .arg(name)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (line, lines) = mpsc::channel(16);
        let (end, ended) = oneshot::channel();
        let out = child.stdout.take();
        thread::spawn(move || {
            let printed = out.into_iter().flat_map(|out| BufReader::new(out).lines());
            for text in printed.map_while(Result::ok) {
                if line.blocking_send(text).is_err() {
                    return;
                }
            }
        });
        let id = Id::Pid(pid(&child));
        thread::spawn(move || {
            let _ = waitid(id, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
            let _ = end.send(());
        });
        Ok(Self {
            child,
            lines,
            ended,
        })
    }

    fn send(&self, signal: Signal) {
        // If it has ended meanwhile it needs no signal.
        let _ = kill(pid(&self.child), signal);
    }

    /// Ends it, by force if it does not end in time.
    async fn stop(&mut self) {
        self.send(Signal::SIGTERM);
        if timeout(STOP_TIMEOUT, &mut self.ended).await.is_err() {
            // A driver that hangs in VSCPClose.
            self.send(Signal::SIGKILL);
            let _ = (&mut self.ended).await;
        }
        let _ = self.child.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

async fn attend(
    mut process: Process,
    orders: &mut mpsc::Receiver<Order>,
    told: &mut Option<mpsc::Sender<()>>,
) -> Attended {
    let mut is_ready = false;
    loop {
        select! {
            Some(line) = process.lines.recv() => {
                if line == READY {
                    is_ready = true;
                    if let Some(told) = told.take() {
                        let _ = told.send(()).await;
                    }
                }
            }
            _ = &mut process.ended => match process.child.wait() {
                Ok(status) => return Attended::Ended(status, is_ready),
                Err(_) => return Attended::Stopped,
            },
            order = orders.recv() => match order {
                Some(Order::Reload) => process.send(Signal::SIGHUP),
                Some(Order::Stop) | None => {
                    process.stop().await;
                    return Attended::Stopped;
                }
            },
        }
    }
}

fn in_words(status: ExitStatus) -> String {
    match status.signal() {
        Some(number) => match Signal::try_from(number) {
            Ok(signal) => format!("it has crashed with {signal}"),
            Err(_) => format!("it has crashed with signal {number}"),
        },
        None => status.to_string(),
    }
}
