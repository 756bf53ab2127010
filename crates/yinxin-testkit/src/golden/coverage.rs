//! The coverage page: which calls of a vendor's documents exist, which of their printed samples are replayed, and
//! where the server decides against one. Made from the golden files alone, so it says the same on every machine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use super::sample::{self, Sample};

/// A call one document describes; the vendor's folder lists them in `calls.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// File name of the document.
    pub seed: String,
    /// Our name of the call.
    pub operation: String,
    /// Method and path as the document writes them.
    pub call: String,
    /// Title of its section.
    pub section: String,
    /// The statuses (or codes, see [`Sample::outcome`]) of the samples printed there, one entry per sample.
    pub printed: Vec<u16>,
}

/// A vendor's calls and samples.
#[derive(Debug)]
pub struct Coverage {
    /// The vendor's name, for people.
    pub vendor: String,
    /// Every call of its documents, in their order.
    pub calls: Vec<Call>,
    /// Every golden file.
    pub samples: Vec<Sample>,
}

impl Coverage {
    /// Loads a vendor's folder.
    pub fn load(vendor: &str, folder: &Path) -> Self {
        let calls = sample::load_json(&folder.join("calls.json"));
        Self { vendor: vendor.to_owned(), calls, samples: sample::load(folder) }
    }

    /// What keeps the samples from covering the documents; empty when they do.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps: Vec<_> = self.calls.iter().flat_map(|call| self.gaps_of(call)).collect();
        for sample in &self.samples {
            let listed = self.calls.iter().any(|call| call.has(sample) && call.call == sample.call);
            if !listed {
                gaps.push(format!("{}: calls.json does not list this call of {}", sample.file, sample.source.seed));
            }
        }
        gaps
    }

    fn gaps_of(&self, call: &Call) -> Vec<String> {
        let replayed = self.statuses(call);
        let name = format!("{} of {}", call.operation, call.seed);
        let mut gaps = Vec::new();
        if !replayed.contains_key(&200) {
            gaps.push(format!("{name}: no sample with status 200"));
        }
        for (status, printed) in count(call.printed.iter().copied()) {
            let replayed = replayed.get(&status).copied().unwrap_or_default();
            if replayed < printed {
                gaps.push(format!("{name}: {replayed} of {printed} samples with status {status}"));
            }
        }
        gaps
    }

    fn samples_of<'a>(&'a self, call: &'a Call) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(|sample| call.has(sample))
    }

    fn statuses(&self, call: &Call) -> BTreeMap<u16, usize> {
        count(self.samples_of(call).map(Sample::outcome))
    }

    fn row(&self, call: &Call) -> String {
        let times = |(status, n): (u16, usize)| if n == 1 { status.to_string() } else { format!("{status} ×{n}") };
        let statuses: Vec<_> = self.statuses(call).into_iter().map(times).collect();
        let mut tested = vec!["replayed".to_owned()];
        for sample in self.samples_of(call) {
            if let Some(decision) = &sample.decision {
                let note = format!("{}: decision {}", sample.outcome(), decision.item);
                if !tested.contains(&note) {
                    tested.push(note);
                }
            }
        }
        let (operation, path, section) = (&call.operation, &call.call, &call.section);
        format!("| {operation} | `{path}` | {section} | {} | {} |", statuses.join(", "), tested.join("; "))
    }

    /// Each decision once, with the files it touches.
    fn decisions(&self) -> BTreeMap<(&str, &str), Vec<&str>> {
        let mut decisions = BTreeMap::<_, Vec<_>>::new();
        for sample in &self.samples {
            if let Some(decision) = &sample.decision {
                let files = decisions.entry((decision.item.as_str(), decision.why.as_str())).or_default();
                files.push(sample.file.as_str());
            }
        }
        decisions
    }

    fn write_section(&self, page: &mut String) -> std::fmt::Result {
        let (calls, samples) = (self.calls.len(), self.samples.len());
        writeln!(page, "\n## {}\n\n{samples} samples of {calls} documented calls.", self.vendor)?;
        for calls in self.calls.chunk_by(|a, b| a.seed == b.seed) {
            writeln!(page, "\n### {}\n", calls[0].seed)?;
            writeln!(page, "| operation | call | section | samples replayed | how tested |\n|---|---|---|---|---|")?;
            for call in calls {
                writeln!(page, "{}", self.row(call))?;
            }
        }
        writeln!(page, "\n### Decisions\n\nWhere the documents contradict themselves or each other.\n")?;
        for ((item, why), files) in self.decisions() {
            writeln!(page, "- **{item}** {why} ({})", files.join(", "))?;
        }
        writeln!(
            page,
            "\n### Repaired samples\n\nPrinted incomplete or inconsistent; the file holds the mended form.\n"
        )?;
        for sample in &self.samples {
            if let Some(repaired) = &sample.repaired {
                writeln!(page, "- {}: {repaired}", sample.file)?;
            }
        }
        Ok(())
    }
}

impl Call {
    fn has(&self, sample: &Sample) -> bool {
        self.seed == sample.source.seed && self.operation == sample.operation
    }
}

/// The page of these vendors, in Markdown.
pub fn page(vendors: &[Coverage]) -> String {
    let mut page = String::from(
        "# Coverage of the vendors' documents\n\n\
         Every request and reply the vendors' documents print is replayed against the server by\n\
         `cargo test -p yinxin --test golden`, from the files under `crates/yinxin/tests/golden/`. That test also\n\
         generates this page (`YINXIN_BLESS=1` writes it) and fails when it is out of date, when a documented call is\n\
         missing, or when one has no successful sample.\n",
    );
    for vendor in vendors {
        vendor.write_section(&mut page).expect("a string takes it");
    }
    page
}

fn count(statuses: impl Iterator<Item = u16>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn coverage(statuses: &[u16]) -> Coverage {
        let call = json!([{ "seed": "page.txt", "operation": "user.get", "call": "GET /u", "section": "S",
            "printed": [200, 404] }]);
        let sample = |status: &u16| {
            json!({ "operation": "user.get", "call": "GET /u", "status": status, "reply": {},
                "source": { "seed": "page.txt", "section": "S", "sample": "1" },
                "decision": { "item": "15", "why": "Because." },
                "request": { "method": "GET", "path": "/u", "headers": {}, "auth": "none" } })
        };
        Coverage {
            vendor: "V".to_owned(),
            calls: serde_json::from_value(call).unwrap(),
            samples: statuses.iter().map(|status| serde_json::from_value(sample(status)).unwrap()).collect(),
        }
    }

    #[test]
    fn finds_what_is_not_replayed() {
        assert_eq!(coverage(&[200, 404]).gaps(), Vec::<String>::new());
        assert_eq!(coverage(&[200, 200]).gaps().len(), 1, "the 404");
        assert_eq!(coverage(&[404]).gaps().len(), 2, "no 200, and fewer than printed");
        let mut renamed = coverage(&[200, 404]);
        renamed.samples[0].call = "GET /v".to_owned();
        assert_eq!(renamed.gaps().len(), 1, "a call nobody listed");
    }

    #[test]
    fn the_page_has_a_row_per_call() {
        let page = page(&[coverage(&[200, 404, 404])]);
        assert!(
            page.contains("| user.get | `GET /u` | S | 200, 404 ×2 | replayed; 200: decision 15; 404: decision 15 |")
        );
        assert!(page.contains("- **15** Because."));
    }
}
