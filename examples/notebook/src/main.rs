//! A greenhouse in a notebook: `cargo run -p notebook -- --install --user`, then pick it in JupyterLab's launcher.
//!
//! `show` shows it live, `set Greenhouse.heating = true` warms it, `watch Greenhouse.celsius` plots it. `harvest 3` is
//! a command of this program, with progress; `front-end FILE` shows the models with a widget of your own. Tests of the kernel drive it (`tests/jupyter`), so it stays as it is.

use std::time::Duration;

use tokio::time::sleep;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::jupyter::kernel::{Bundle, Cell, CellError, Kernel, KernelError};

#[derive(Synced)]
struct Greenhouse {
    name: String,
    mode: Mode,
    heating: bool,
    /// Where the heating stops, in degrees.
    #[synced(range = 5..=35)]
    wanted: i64,
    #[synced(read_only)]
    celsius: f64,
    /// Counts the simulation's steps.
    #[synced(read_only)]
    steps: i64,
    beds: Vec<Bed>,
}

#[derive(Synced, Clone, Copy)]
enum Mode {
    Manual,
    Automatic,
    Closed,
}

#[derive(Synced)]
struct Bed {
    plant: String,
    #[synced(range = 0.0..=1.0)]
    moisture: f64,
}

#[tokio::main]
async fn main() -> Result<(), KernelError> {
    let session = Session::new();
    let greenhouse = session.host(Greenhouse {
        name: "north".into(),
        mode: Mode::Manual,
        heating: false,
        wanted: 21,
        celsius: 12.0,
        steps: 0,
        beds: ["tomato", "basil"]
            .map(|plant| Bed {
                plant: plant.into(),
                moisture: 0.5,
            })
            .into(),
    });
    tokio::spawn(simulate(greenhouse.clone()));
    Kernel::new(&Server::new(session))
        .name("greenhouse")
        .display_name("Greenhouse (Rust)")
        .icon(include_str!("icon.svg"))
        .cell(move |cell| run(cell, greenhouse.clone()))
        .run_from_args()
        .await
}

/// Ten steps a second.
async fn simulate(greenhouse: Hosted<Greenhouse>) {
    loop {
        sleep(Duration::from_millis(100)).await;
        let mut greenhouse = greenhouse.write();
        greenhouse.steps += 1;
        if matches!(greenhouse.mode, Mode::Automatic) {
            greenhouse.heating = greenhouse.celsius < greenhouse.wanted as f64;
        }
        let outside = if greenhouse.heating { 30.0 } else { 10.0 };
        greenhouse.celsius += (outside - greenhouse.celsius) * 0.01;
    }
}

async fn run(cell: Cell, greenhouse: Hosted<Greenhouse>) -> Result<(), CellError> {
    let words: Vec<_> = cell.code().split_whitespace().collect();
    match words.as_slice() {
        ["harvest", beds] => harvest(&cell, beds.parse()?).await,
        ["burst", steps] => {
            burst(&cell, &greenhouse, steps.parse()?);
            Ok(())
        }
        // A front end of one's own: an anywidget module from a file.
        ["front-end", file] => {
            let module = tokio::fs::read_to_string(file).await?;
            cell.anywidget_of(cell.server(), &module, serde_json::Map::new());
            Ok(())
        }
        ["report"] => {
            let celsius = greenhouse.read().celsius;
            let note = format!("It is **{celsius:.1}** degrees.");
            cell.display(Bundle::markdown(note));
            Ok(())
        }
        _ => cell.command().await,
    }
}

/// Takes a while, and can be interrupted.
async fn harvest(cell: &Cell, beds: u64) -> Result<(), CellError> {
    if beds == 0 {
        return Err(CellError::new("NothingToHarvest", "there is no bed"));
    }
    let progress = cell.progress("harvest", beds);
    for done in 1..=beds {
        sleep(Duration::from_millis(50)).await;
        progress.set(done);
    }
    cell.print(format_args!("harvested {beds} beds\n"));
    Ok(())
}

/// Many changes, each synced by itself.
fn burst(cell: &Cell, greenhouse: &Hosted<Greenhouse>, steps: i64) {
    for _ in 0..steps {
        greenhouse.write().steps += 1;
        let report = cell.server().session().sync();
        assert!(report.faults.is_empty(), "numbers of this size can travel");
    }
    let steps = greenhouse.read().steps;
    cell.print(format_args!("at least {steps} steps\n"));
}
