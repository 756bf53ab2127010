//! Median and spread of a few rounds.

use serde::Serialize;

/// The median of some figures, the quartiles around it, and the extremes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The lowest.
    pub low: f64,
    /// A quarter is below.
    pub lower_quartile: f64,
    /// Half is below.
    pub median: f64,
    /// A quarter is above.
    pub upper_quartile: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// Of at least one figure; of none it is all zero.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else {
            return Self::default();
        };
        // At `quarters` quarters of the way, between two figures in proportion to the distance from each.
        let at = |quarters: usize| {
            let (whole, rest) = (last * quarters / 4, last * quarters % 4);
            let next = sorted[last.min(whole + 1)];
            sorted[whole] + (next - sorted[whole]) * float(rest as u64) / 4.0
        };
        Self { low: at(0), lower_quartile: at(1), median: at(2), upper_quartile: at(3), high: at(4) }
    }

    /// Half the distance between the quartiles, in percent of the median: one disturbed round does not show in it.
    pub fn percent(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { (self.upper_quartile - self.lower_quartile) / self.median * 50.0 }
    }
}

/// A count as a figure to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_in_the_middle() {
        let five = Spread::of([5.0, 1.0, 3.0, 2.0, 40.0]);
        let expected = Spread { low: 1.0, lower_quartile: 2.0, median: 3.0, upper_quartile: 5.0, high: 40.0 };
        assert_eq!(five, expected);
        assert_eq!(Spread::of([4.0, 2.0]).median.to_string(), "3");
        assert_eq!(Spread::of([7.0]).upper_quartile.to_string(), "7");
        assert_eq!(Spread::of([]), Spread::default());
    }

    #[test]
    fn the_spread_is_between_the_quartiles() {
        assert!((Spread::of([1.0, 90.0, 100.0, 110.0, 900.0]).percent() - 10.0).abs() < 1e-9);
    }
}
