//! Asks the system, and makes up processes where it has too few.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use sysinfo::{Disks, MINIMUM_CPU_UPDATE_INTERVAL, Pid, ProcessesToUpdate, System};
use tokio::sync::watch;
use transports::session::Hosted;

use crate::machine::{Machine, Process, Space};

pub(crate) struct Sampler {
    system: System,
    disks: Disks,
    /// When the processors were asked last: their load is what happened since, and nothing is known of short times.
    asked: Instant,
    rows: usize,
    random: fastrand::Rng,
}

const PERIOD: Duration = Duration::from_millis(100);

/// Made-up processes have ids that the system gives to none.
const INVENTED: u32 = 1 << 30;

impl Sampler {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            system: System::new().expect("the system can be asked"),
            disks: Disks::new().expect("the system can be asked"),
            asked: Instant::now(),
            rows,
            random: fastrand::Rng::new(),
        }
    }

    pub(crate) fn first(&mut self) -> Machine {
        let mut machine = Machine {
            host: System::host_name().unwrap_or_default(),
            system: System::long_os_version().unwrap_or_default(),
            samples: 0,
            cores: Vec::new(),
            memory: Space::default(),
            swap: Space::default(),
            disks: BTreeMap::new(),
            processes: BTreeMap::new(),
        };
        self.ask_processors();
        self.sample(&mut machine);
        machine
    }

    /// Keeps the machine up to date while somebody looks, until the server is gone.
    pub(crate) fn run(mut self, machine: &Hosted<Machine>, watchers: &watch::Receiver<usize>) {
        let mut next = Instant::now();
        while watchers.has_changed().is_ok() {
            next += PERIOD;
            let now = Instant::now();
            // After a pause of the whole machine it goes on from now.
            next = next.max(now);
            thread::sleep(next - now);
            if *watchers.borrow() > 0 {
                if self.asked.elapsed() >= 2 * MINIMUM_CPU_UPDATE_INTERVAL {
                    self.ask_processors();
                }
                self.system.refresh_memory();
                self.sample(&mut machine.write());
            }
        }
    }

    fn ask_processors(&mut self) {
        self.asked = Instant::now();
        self.system.refresh_cpu_usage();
        self.system.refresh_processes(ProcessesToUpdate::All, true);
        self.disks.refresh(true);
        self.system.refresh_memory();
    }

    /// Writes down what is known. Only what differs travels.
    fn sample(&mut self, machine: &mut Machine) {
        machine.samples += 1;
        machine.cores = self
            .system
            .cpus()
            .iter()
            .map(|cpu| tenths(cpu.usage()))
            .collect();
        machine.memory = Space {
            total: self.system.total_memory(),
            used: self.system.used_memory(),
        };
        machine.swap = Space {
            total: self.system.total_swap(),
            used: self.system.used_swap(),
        };
        let space = |disk: &sysinfo::Disk| {
            let total = disk.total_space();
            let used = total.saturating_sub(disk.available_space());
            (
                disk.mount_point().display().to_string(),
                Space { total, used },
            )
        };
        machine.disks = self.disks.iter().map(space).collect();

        let processes = self.system.processes();
        machine
            .processes
            .retain(|id, process| process.invented || processes.contains_key(&Pid::from_u32(*id)));
        for (id, process) in processes {
            // Threads are shown as their process.
            if process.thread_kind().is_some() {
                continue;
            }
            let now = Process {
                name: process.name().to_string_lossy().into_owned(),
                cpu: tenths(process.cpu_usage()),
                memory: process.memory(),
                invented: false,
            };
            machine.processes.insert(id.as_u32(), now);
        }
        self.invent(&mut machine.processes);
    }

    fn invent(&mut self, processes: &mut BTreeMap<u32, Process>) {
        while processes.len() > self.rows
            && processes
                .last_key_value()
                .is_some_and(|(_, last)| last.invented)
        {
            processes.pop_last();
        }
        let next = processes
            .last_key_value()
            .map_or(0, |(id, _)| id + 1)
            .max(INVENTED);
        for id in (next..).take(self.rows.saturating_sub(processes.len())) {
            let process = Process {
                name: format!("made up {}", id - INVENTED + 1),
                cpu: 0.0,
                memory: self.random.u64(1..512) << 20,
                invented: true,
            };
            processes.insert(id, process);
        }
        for process in processes.values_mut().filter(|process| process.invented) {
            process.cpu =
                tenths((process.cpu as f32 + self.random.f32() * 4.0 - 2.0).clamp(0.0, 100.0));
        }
    }
}

fn tenths(percent: f32) -> f64 {
    (f64::from(percent) * 10.0).round() / 10.0
}
