//! `auricle-train`: labelled clips in, an ONNX model for `libauricle` out.

mod commands;
#[cfg(test)]
#[path = "../../cli/src/pages.rs"]
mod pages;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{
    compress, cross_validate, cut, distill, evaluate, finetune, float_io, head, inspect_data, join, mix,
    normal, pretrain, search, stamp, train,
};

/// Trains sound classifiers for libauricle.
#[derive(Parser)]
#[command(name = "auricle-train", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains on all clips and writes a model.
    Train(train::Args),
    /// Trains once for each fold on all the others, and prints how much of the fold is then recognised.
    CrossValidate(cross_validate::Args),
    /// Goes on from a trained network with other clips, and other classes if they have them; writes a model.
    Finetune(finetune::Args),
    Pretrain(pretrain::Args),
    Distill(distill::Args),
    Evaluate(evaluate::Args),
    InspectData(inspect_data::Args),
    Mix(mix::Args),
    Head(head::Args),
    Normal(normal::Args),
    Search(search::Args),
    Compress(compress::Args),
    Stamp(stamp::Args),
    Cut(cut::Args),
    Join(join::Args),
    FloatIo(float_io::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Train(args) => args.run(),
        Command::CrossValidate(args) => args.run(),
        Command::Finetune(args) => args.run(),
        Command::Pretrain(args) => args.run(),
        Command::Distill(args) => args.run(),
        Command::Evaluate(args) => args.run(),
        Command::InspectData(args) => args.run(),
        Command::Mix(args) => args.run(),
        Command::Head(args) => args.run(),
        Command::Normal(args) => args.run(),
        Command::Search(args) => args.run(),
        Command::Compress(args) => args.run(),
        Command::Stamp(args) => args.run(),
        Command::Cut(args) => args.run(),
        Command::Join(args) => args.run(),
        Command::FloatIo(args) => args.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("auricle-train: {e:#}");
            ExitCode::FAILURE
        }
    }
}
