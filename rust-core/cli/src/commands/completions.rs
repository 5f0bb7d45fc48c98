//! `completions`: a script that completes this command line in a shell.

use biglittle::Result;
use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::output;

pub fn run(args: &CompletionsArgs) -> Result<()> {
    // Made in memory first: the generator panics where its output fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "biglittle", &mut script);
    output::print_bytes(&script)
}
