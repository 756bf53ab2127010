//! What the names in a sample are on this server: the app's name, its credentials, and what a step learned. Ids are not
//! names; they follow the rule of `compare`.

use serde_json::Value;

/// The replacements of one sample.
#[derive(Debug, Default)]
pub struct Names {
    /// Text of the sample and what stands for it; long and unique, so it is replaced wherever it occurs.
    texts: Vec<(String, String)>,
    app: Option<AppName>,
}

/// The app's name changes only where it is the whole text, or follows its organisation in a path.
#[derive(Debug)]
struct AppName {
    sample: String,
    real: String,
    sample_path: String,
    real_path: String,
}

impl Names {
    /// From now on the text `sample` stands for `real`.
    pub fn bind(&mut self, sample: &str, real: &str) {
        self.texts.push((sample.to_owned(), real.to_owned()));
    }

    /// The app `sample` of the organisation `org` is called `real` here.
    pub fn rename_app(&mut self, org: &str, sample: &str, real: &str) {
        let (sample_path, real_path) = (format!("{org}/{sample}"), format!("{org}/{real}"));
        self.app = Some(AppName { sample: sample.to_owned(), real: real.to_owned(), sample_path, real_path });
    }

    /// The text with everything replaced.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (sample, real) in &self.texts {
            text = text.replace(sample, real);
        }
        match &self.app {
            Some(app) => app.apply(&text),
            None => text,
        }
    }

    /// The value with every text inside replaced, and numbers that stand for others; keys stay.
    pub fn apply_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.apply(text).into(),
            Value::Number(number) => {
                let digits = number.to_string();
                let real = self.texts.iter().find(|(sample, _)| *sample == digits);
                real.and_then(|(_, real)| real.parse().ok()).map_or_else(|| value.clone(), Value::Number)
            }
            Value::Array(elements) => elements.iter().map(|element| self.apply_all(element)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, member)| (key.clone(), self.apply_all(member))).collect()
            }
            _ => value.clone(),
        }
    }
}

impl AppName {
    fn apply(&self, text: &str) -> String {
        if text == self.sample {
            return self.real.clone();
        }
        let mut pieces = text.split(&self.sample_path);
        let mut done = pieces.next().unwrap_or_default().to_owned();
        for rest in pieces {
            let longer_name = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c));
            done.push_str(if longer_name { &self.sample_path } else { &self.real_path });
            done.push_str(rest);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replaces_names_where_they_are_names() {
        let mut names = Names::default();
        names.bind("LTgz", "NEXT");
        names.bind("6207760637435905", "4503599627370497");
        names.rename_app("demo", "testapp", "testapp7");
        let sample =
            json!(["testapp", "demo/testapp/users?cursor=LTgz", "a testapp", "/demo/testapps", "/demo/testapp", 1]);
        let real =
            json!(["testapp7", "demo/testapp7/users?cursor=NEXT", "a testapp", "/demo/testapps", "/demo/testapp7", 1]);
        assert_eq!(names.apply_all(&sample), real);
        let numbers = json!([6_207_760_637_435_905_i64, 62, "rooms/6207760637435905"]);
        let learned = json!([4_503_599_627_370_497_i64, 62, "rooms/4503599627370497"]);
        assert_eq!(names.apply_all(&numbers), learned);
    }
}
