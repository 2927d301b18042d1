//! `transports`: looks into a server from a terminal.

mod edit;
mod load;
mod path;
mod plain;
mod types;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use anstream::eprintln;
use clap::{Args, Parser, Subcommand, ValueEnum};
use transports::Codec;
use transports_adapters::client::{Client, ClientBuilder};

/// Looks into a server of live models: watch them, edit them, load it.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the models and their changes as they come, until interrupted.
    Watch(watch::Watch),
    /// Change one place of a model and wait for the server's answer.
    #[command(after_help = edit::EXAMPLES)]
    Edit(edit::Edit),
    /// Write the types of the models: TypeScript or JSON Schema.
    ///
    /// They are what the server tells, whatever the values are now. What a server does not tell is guessed from the
    /// values, and stderr says so.
    Types(types::Types),
    /// Open many connections and count what comes, for a bounded time.
    Load(load::Load),
}

/// Where to connect to, and how.
#[derive(Args, Clone)]
struct Target {
    /// `ws://`, `wss://` (both ways), `http://` or `https://` (Server-Sent Events).
    url: String,
    /// How messages are written.
    #[arg(long, value_enum, default_value_t = CodecName::Json)]
    codec: CodecName,
    /// A header to send with the request, as `name: value`. May be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Seconds to wait for the server.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    timeout: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum CodecName {
    Json,
    Msgpack,
    Cbor,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is wanted".to_owned())?;
    if (0.0..=86_400.0).contains(&number) {
        Ok(number)
    } else {
        Err("at most a day".to_owned())
    }
}

impl Target {
    fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout)
    }

    fn builder(&self) -> ClientBuilder {
        let codec = match self.codec {
            CodecName::Json => Codec::Json,
            CodecName::Msgpack => Codec::MessagePack,
            CodecName::Cbor => Codec::Cbor,
        };
        let builder = Client::builder(&self.url)
            .codec(codec)
            .connect_timeout(self.timeout());
        self.headers.iter().fold(builder, |builder, (name, value)| {
            builder.header(name, value)
        })
    }

    async fn connect(&self) -> Result<Client, String> {
        self.builder()
            .connect()
            .await
            .map_err(|error| error.to_string())
    }
}

/// Why a command did not do what it should.
enum Failure {
    /// The server refused, could not be reached, or did not answer in time; or a file cannot be read or written.
    Error(String),
    /// A file that was to be checked is not up to date.
    Stale(String),
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Error(reason)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Watch(watch) => watch.run().await.map_err(Failure::from),
        Command::Edit(edit) => edit.run().await.map_err(Failure::from),
        Command::Types(types) => types.run().await,
        Command::Load(load) => load.run().await.map_err(Failure::from),
    };
    let (reason, code) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Error(reason)) => (reason, 1),
        // 2 is a command line that makes no sense.
        Err(Failure::Stale(reason)) => (reason, 3),
    };
    let red = anstyle::AnsiColor::Red.on_default().bold();
    eprintln!("{red}error:{red:#} {reason}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
