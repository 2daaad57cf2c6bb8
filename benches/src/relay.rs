//! Taking turns with a peer that is a program of its own: it does the same works with the same
//! plan, and gets a line for each of its turns and answers with one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::table::{Column, Figure, Figures};

/// The other program that has turns.
#[derive(Debug)]
pub enum Relay {
    /// None.
    Alone,
    /// The other program, each time after ours.
    Leading(Box<Follower>),
    /// This is the other program.
    Following,
}

/// The other program, running.
#[derive(Debug)]
pub struct Follower {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Relay {
    /// Starts the program that is to have a turn after each of ours.
    #[must_use]
    pub fn lead(program: &Path, args: &[String]) -> Self {
        let mut command = Command::new(program);
        command.args(args).arg("--follow").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self::Leading(Box::new(Follower { child, to, from: BufReader::new(from) }))
    }

    /// Before a turn of this process: who follows waits for the other's end.
    pub(crate) fn begin(&mut self) {
        if let Self::Following = self {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line).unwrap();
            assert!(read > 0, "who leads has ended");
        }
    }

    /// After a turn of this process: who leads lets the other have its turn.
    pub(crate) fn end(&mut self) {
        match self {
            Self::Alone => {}
            Self::Following => println!(),
            Self::Leading(follower) => follower.turn(),
        }
    }

    /// Ends the other program, and records its measurements as figures of `peer`.
    ///
    /// # Panics
    ///
    /// If it failed.
    pub fn finish(self, size: u64, peer: &'static str, figures: &mut Figures) {
        let Self::Leading(follower) = self else { return };
        let Follower { mut child, from, .. } = *follower;
        for line in from.lines() {
            figures.take_in(read(line.unwrap(), size, peer));
        }
        assert!(child.wait().unwrap().success(), "{peer} failed");
    }
}

impl Follower {
    fn turn(&mut self) {
        self.to.write_all(b"\n").unwrap();
        let mut line = String::new();
        let read = self.from.read_line(&mut line).unwrap();
        assert!(read > 0 && line == "\n", "who follows has ended, or says {line:?}");
    }
}

/// Tells who leads, or a reader, what was measured.
pub fn say(figures: &Figures) {
    for Figure { column: Column { name, title, unit }, value, .. } in figures.iter() {
        println!("{name}\t{title}\t{unit}\t{value}");
    }
}

/// The other side of `say`. Columns live as long as the program, so these do.
fn read(line: String, size: u64, peer: &'static str) -> Figure {
    let mut parts = line.leak().split('\t');
    let mut part = || parts.next().unwrap();
    let column = Column { name: part(), title: part(), unit: part() };
    Figure { column, size, peer, value: part().parse().unwrap() }
}
