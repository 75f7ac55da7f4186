//! This program once more, with another role.

use std::{
    env,
    error::Error,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A process that answers numbers with lines of numbers, see [`serve`]; ends with its drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a process and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut process = Self::spawn(arguments)?;
        process.wait()?;
        Ok(process)
    }

    /// Starts a process; [`wait`](Self::wait) waits until it is ready.
    pub(crate) fn spawn(arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("no pipe");
        Ok(Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().ok_or_else(missing)?),
            child,
        })
    }

    /// Has the process do something, and waits until it is done.
    pub(crate) fn ask(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>> {
        self.tell(numbers)?;
        self.wait()
    }

    /// Has the process do something; [`wait`](Self::wait) waits until it is done.
    pub(crate) fn tell(&mut self, numbers: &[u64]) -> Result<(), Box<dyn Error>> {
        let input = self.input.as_mut().ok_or("no input")?;
        Ok(writeln!(input, "{}", line(numbers))?)
    }

    /// Waits for the numbers that the process says.
    pub(crate) fn wait(&mut self) -> Result<Vec<u64>, Box<dyn Error>> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("a process of clients or of the server has failed".into());
        }
        parse(&line)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// What answers in a [`Process`].
pub(crate) trait Answer {
    fn answer(&mut self, numbers: &[u64]) -> Result<Vec<u64>, Box<dyn Error>>;
}

/// Says `ready`, and then answers each line of numbers until there are no more.
pub(crate) fn serve(ready: &[u64], mut answers: impl Answer) -> Result<(), Box<dyn Error>> {
    println!("{}", line(ready));
    for asked in io::stdin().lines() {
        let answer = answers.answer(&parse(&asked?)?)?;
        println!("{}", line(&answer));
    }
    Ok(())
}

fn line(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    words.join(" ")
}

fn parse(line: &str) -> Result<Vec<u64>, Box<dyn Error>> {
    let numbers = line.split_whitespace().map(str::parse);
    Ok(numbers.collect::<Result<_, _>>()?)
}
