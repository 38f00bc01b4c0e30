//! `auricle`: the library on the command line. `classify` sound files, `listen` to a microphone, `inspect` a
//! model, write `features`.

mod classify;
mod closed;
mod events;
mod features;
mod health;
mod init;
mod inspect;
mod listen;
mod model;
mod npy;
mod out;
#[cfg(test)]
mod pages;
mod progress;
#[cfg(test)]
#[path = "../../tests/support/random.rs"]
mod random;
mod ranking;
mod record;
mod rows;
mod sound;
mod timeline;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use out::{Stdout, Stop, complain, explain};

/// Classifies sound with ONNX models.
#[derive(Parser)]
#[command(name = "auricle", arg_required_else_help = true)]
struct Args {
    /// ONNX Runtime's library file, if it is not where Auricle looks by itself
    #[arg(long, global = true, value_name = "PATH")]
    runtime: Option<PathBuf>,
    /// A provider of ONNX Runtime that must run the model (cuda, coreml, … or the path of a plug-in's library), or with `?`
    /// behind it one that should; options behind it as ={"device":1}. May be given several times. Without it, the CPU
    #[arg(long = "provider", global = true, value_name = "NAME", value_parser = model::provider)]
    providers: Vec<auricle::Provider>,
    /// Print the versions of Auricle and of ONNX Runtime
    #[arg(short = 'V', long)]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Say what is heard in sound files
    Classify(classify::Args),
    /// Say what is heard by a microphone, live
    Listen(listen::Args),
    /// Begin a manifest for an ONNX file
    Init(init::Args),
    /// Say what a model expects and what runs it
    Inspect(inspect::Args),
    /// Write the features that a model would see as a NumPy file
    Features(features::Args),
}

fn main() -> ExitCode {
    let result = Stdout::open().and_then(|mut out| {
        let result = match Args::try_parse() {
            Ok(args) => run(&args, &mut out),
            Err(help) if !help.use_stderr() => out.line(help.to_string().trim_end()),
            Err(wrong) => return Err(Stop::Usage(wrong.to_string())),
        };
        result.and_then(|()| out.flush())
    });
    match result {
        Ok(()) | Err(Stop::Closed) => ExitCode::SUCCESS,
        Err(Stop::Reported) => ExitCode::FAILURE,
        Err(Stop::Usage(text)) => {
            explain(&text);
            ExitCode::from(2)
        }
        Err(Stop::Because(lines)) => {
            lines.iter().for_each(complain);
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args, out: &mut Stdout) -> Result<(), Stop> {
    let engine = model::Engine { runtime: args.runtime.as_deref(), providers: &args.providers };
    if args.version {
        return version::run(engine.runtime, out);
    }
    match &args.command {
        Some(Command::Classify(args)) => classify::run(args, engine, out),
        Some(Command::Listen(args)) => listen::run(args, engine, out),
        Some(Command::Init(args)) => init::run(args, out),
        Some(Command::Inspect(args)) => inspect::run(args, engine, out),
        Some(Command::Features(args)) => features::run(args, engine, out),
        None => {
            let missing = Args::command().error(clap::error::ErrorKind::MissingSubcommand, "missing command");
            Err(Stop::Usage(missing.to_string()))
        }
    }
}
