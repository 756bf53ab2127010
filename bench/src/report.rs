//! The figures: collected, judged against their targets, printed for people and as JSON for machines.

use std::path::Path;

use comfy_table::{Cell, CellAlignment, Table, presets};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::load::Outcome;
use crate::machine::Machine;
use crate::options::Settings;
use crate::problem::{Explain as _, Problem, Result};
use crate::rounds::Rounds;
use crate::stats::{Spread, float};

/// Everything measured in one run.
#[derive(Serialize)]
pub struct Report {
    machine: Machine,
    settings: Settings,
    rates: Vec<Rate>,
    figures: Vec<Figure>,
    failures: Vec<Failure>,
}

/// A scenario measured as a rate, with what it is compared to.
#[derive(Serialize)]
pub struct Rate {
    /// The scenario, with a word on the variant.
    pub scenario: String,
    /// Connections calling at once.
    pub callers: u32,
    /// The server under test.
    pub subject: Measured,
    /// Its resident memory after the last round.
    pub resident_mib: f64,
    /// What the reference is.
    pub against: &'static str,
    /// The reference.
    pub reference: Measured,
    /// Subject rate over reference rate, round by round.
    pub ratio: Spread,
    /// What is to be reached, if anything is.
    pub target: Option<Target>,
    /// Whether it was.
    pub met: Option<bool>,
    /// What else is to be said.
    pub note: Option<String>,
}

/// One side's figures over all rounds.
#[derive(Serialize)]
pub struct Measured {
    /// Answered calls per second.
    pub per_second: Spread,
    /// Median latency.
    pub p50_ms: Option<f64>,
    /// The latency one call in a hundred exceeds.
    pub p99_ms: Option<f64>,
    /// Server CPU microseconds per answered call, median of the rounds.
    pub cpu_us: Option<f64>,
}

/// A figure that is no rate.
#[derive(Serialize)]
struct Figure {
    scenario: String,
    unit: &'static str,
    value: Spread,
    at_most: f64,
    met: bool,
}

/// A scenario that could not be measured.
#[derive(Serialize)]
struct Failure {
    scenario: String,
    problem: String,
}

/// What a rate is to reach.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// At least this share of the reference.
    Ratio(f64),
    /// At least this many a second.
    PerSecond(f64),
    /// At most this p99 latency in milliseconds.
    P99Ms(f64),
    /// At most these median and p99 latencies in milliseconds.
    LatencyMs(f64, f64),
}

impl Target {
    fn met(self, subject: &Measured, ratio: Spread) -> bool {
        match self {
            Self::Ratio(least) => ratio.median >= least,
            Self::PerSecond(least) => subject.per_second.median >= least,
            Self::P99Ms(most) => subject.p99_ms.is_some_and(|p99| p99 <= most),
            Self::LatencyMs(median, most) => {
                subject.p50_ms.is_some_and(|p50| p50 <= median) && subject.p99_ms.is_some_and(|p99| p99 <= most)
            }
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Ratio(least) => format!("ratio >= {least:.2}"),
            Self::PerSecond(least) => format!(">= {}/s", thousands(least)),
            Self::P99Ms(most) => format!("p99 <= {most} ms"),
            Self::LatencyMs(median, most) => format!("p50 <= {median}, p99 <= {most} ms"),
        }
    }
}

impl Measured {
    fn of(outcomes: &[Outcome]) -> Self {
        let mut all: Option<Histogram<u64>> = None;
        for outcome in outcomes {
            match &mut all {
                Some(all) => *all += &outcome.latency,
                None => all = Some(outcome.latency.clone()),
            }
        }
        let all = all.filter(|all| !all.is_empty());
        let at = |quantile: f64| all.as_ref().map(|all| float(all.value_at_quantile(quantile)) / 1000.0);
        let cpu: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.cpu_us).collect();
        Self {
            per_second: Spread::of(outcomes.iter().map(|outcome| outcome.per_second)),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            cpu_us: (!cpu.is_empty()).then(|| Spread::of(cpu).median),
        }
    }
}

impl Rate {
    /// The figures of some rounds. `against` names the reference.
    pub fn new(scenario: impl Into<String>, callers: u32, rounds: &Rounds, against: &'static str) -> Self {
        let pairs = rounds.subject.iter().zip(&rounds.reference);
        Self {
            scenario: scenario.into(),
            callers,
            subject: Measured::of(&rounds.subject),
            resident_mib: 0.0,
            against,
            reference: Measured::of(&rounds.reference),
            ratio: Spread::of(pairs.map(|(subject, reference)| subject.per_second / reference.per_second)),
            target: None,
            met: None,
            note: None,
        }
    }

    /// With what is to be reached.
    pub fn aiming(mut self, target: Target) -> Self {
        self.target = Some(target);
        self.met = Some(target.met(&self.subject, self.ratio));
        self
    }

    /// With the server's memory.
    pub fn resident(mut self, mib: f64) -> Self {
        self.resident_mib = mib;
        self
    }

    /// With a remark.
    pub fn noting(mut self, note: String) -> Self {
        self.note = Some(note);
        self
    }

    fn cells(&self) -> Vec<String> {
        let reference = &self.reference;
        let cpu = reference.cpu_us.map_or_else(String::new, |us| format!(", {us:.1} us"));
        vec![
            self.scenario.clone(),
            self.callers.to_string(),
            thousands(self.subject.per_second.median),
            format!("±{:.1}%", self.subject.per_second.percent()),
            optional(self.subject.p50_ms, 2),
            optional(self.subject.p99_ms, 2),
            optional(self.subject.cpu_us, 1),
            format!("{:.1}", self.resident_mib),
            format!("{} {}/s{cpu}", self.against, thousands(reference.per_second.median)),
            format!("{:.2} ±{:.1}%", self.ratio.median, self.ratio.percent()),
            self.target.map_or_else(String::new, Target::shown),
            self.met.map_or("", verdict).to_owned(),
        ]
    }
}

impl Report {
    /// An empty report.
    pub fn new(machine: Machine, settings: Settings) -> Self {
        Self { machine, settings, rates: Vec::new(), figures: Vec::new(), failures: Vec::new() }
    }

    /// Adds a rate.
    pub fn rate(&mut self, rate: Rate) {
        self.rates.push(rate);
    }

    /// Adds a figure that should be at most `at_most`.
    pub fn figure(&mut self, scenario: impl Into<String>, unit: &'static str, value: Spread, at_most: f64) {
        let met = value.median <= at_most;
        self.figures.push(Figure { scenario: scenario.into(), unit, value, at_most, met });
    }

    /// Adds a scenario that could not be measured.
    pub fn failure(&mut self, scenario: String, problem: &str) {
        eprintln!("  failed: {problem}");
        self.failures.push(Failure { scenario, problem: problem.to_owned() });
    }

    /// Prints the tables and writes the JSON. A missed target is a figure; a failed scenario is a problem.
    pub fn publish(&self, json: Option<&Path>) -> Result<()> {
        self.print();
        if let Some(path) = json {
            let text = serde_json::to_string_pretty(self).explain("cannot write the figures as JSON")?;
            std::fs::write(path, text + "\n").explain(&format!("cannot write {}", path.display()))?;
        }
        let failed: Vec<String> =
            self.failures.iter().map(|failure| format!("\n  {}: {}", failure.scenario, failure.problem)).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Problem::new(format!("{} scenario(s) could not be measured:{}", failed.len(), failed.concat())))
    }

    fn print(&self) {
        let (machine, settings) = (&self.machine, &self.settings);
        println!(
            "{} cores, {}, Linux {}, data on {}",
            machine.cores, machine.processor, machine.kernel, machine.data_on
        );
        println!("{} round(s) of {} s; median ± half the distance of the quartiles", settings.rounds, settings.seconds);
        if machine.data_on == "memory" {
            println!("The data folder is in memory: durable writes mean nothing here. Name a disk with --scratch.");
        }
        if !self.rates.is_empty() {
            const HEADER: [&str; 12] = [
                "scenario", "callers", "calls/s", "spread", "p50 ms", "p99 ms", "CPU us", "RSS MiB", "against",
                "ratio", "target", "",
            ];
            println!("\n{}", table(&HEADER, self.rates.iter().map(Rate::cells), 1..8));
        }
        for (rate, note) in self.rates.iter().filter_map(|rate| Some((rate, rate.note.as_ref()?))) {
            println!("{}: {note}", rate.scenario);
        }
        if !self.figures.is_empty() {
            const HEADER: [&str; 5] = ["figure", "median", "spread", "target", ""];
            println!("\n{}", table(&HEADER, self.figures.iter().map(Figure::cells), 1..3));
        }
    }
}

impl Figure {
    fn cells(&self) -> Vec<String> {
        vec![
            self.scenario.clone(),
            format!("{:.1} {}", self.value.median, self.unit),
            format!("±{:.1}%", self.value.percent()),
            format!("<= {} {}", self.at_most, self.unit),
            verdict(self.met).to_owned(),
        ]
    }
}

/// A plain table with the columns `right` aligned to the right.
fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>, right: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    let aligned = |(column, text): (usize, String)| {
        let side = if right.contains(&column) { CellAlignment::Right } else { CellAlignment::Left };
        Cell::new(text).set_alignment(side)
    };
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header.iter().map(ToString::to_string).enumerate().map(aligned));
    for row in rows {
        table.add_row(row.into_iter().enumerate().map(aligned));
    }
    table
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

fn optional(figure: Option<f64>, decimals: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.decimals$}"))
}

/// Rounded, in groups of three.
fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{Rate, Target, thousands};
    use crate::load::Outcome;
    use crate::rounds::Rounds;

    fn rounds() -> Rounds {
        let rates = |figures: [f64; 3]| figures.map(Outcome::of_rate).into();
        Rounds { subject: rates([50.0, 80.0, 60.0]), reference: rates([100.0, 100.0, 100.0]) }
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let rate = Rate::new("x", 1, &rounds(), "bare");
        assert!((rate.ratio.median - 0.6).abs() < 1e-9);
        assert_eq!(rate.subject.p99_ms, None);
    }

    #[test]
    fn targets_are_judged_by_the_median() {
        let met = |target| Rate::new("x", 1, &rounds(), "bare").aiming(target).met;
        assert_eq!(met(Target::Ratio(0.6)), Some(true));
        assert_eq!(met(Target::Ratio(0.61)), Some(false));
        assert_eq!(met(Target::PerSecond(60.0)), Some(true));
        assert_eq!(met(Target::P99Ms(5.0)), Some(false), "nothing was timed");
    }

    #[test]
    fn large_figures_are_grouped() {
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }
}
