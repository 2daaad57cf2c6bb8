//! Figures against sizes, both logarithmic, as SVG: a plot for each work, and one of several.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;

use crate::table::{Column, Figures};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// The works of the overview, row by row, and how it calls them.
const OVERVIEW: [(&str, &str); 6] = [
    ("id", "look up by id"),
    ("username", "look up by username"),
    ("open", "open and read the key"),
    ("changed", "50 seen, 2 of them changed, durable"),
    ("state", "save the update state, durable"),
    ("churn", "file after a month"),
];

/// How high a line of the legend is, and how wide one of its columns.
const LEGEND: (i32, i32) = (22, 230);

/// Writes one SVG a work into `folder`, for works measured at two sizes or more, and
/// `overview.svg` where all its works were.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(figures: &Figures, peers: &[(&str, &str)], folder: &Path) -> Drawn {
    std::fs::create_dir_all(folder)?;
    let columns: Vec<Column> = figures.columns(None);
    let plots = columns.iter().map(|column| Plot::of(figures, *column, column.title, peers));
    let plots: Vec<Plot<'_>> =
        plots.filter(|plot| plot.lines.iter().any(|(_, points)| points.len() > 1)).collect();
    for plot in &plots {
        let file = folder.join(format!("{}.svg", plot.column.name));
        picture(&file, (760, 440), (1, 1), std::slice::from_ref(plot), peers)?;
    }
    // What differs in how it was loaded only is no line of its own here.
    let peers: Vec<_> = peers.iter().copied().filter(|(name, _)| *name != "lmdb_append").collect();
    let shown: Vec<Plot<'_>> = OVERVIEW
        .iter()
        .filter_map(|(name, title)| {
            let plot = plots.iter().find(|plot| plot.column.name == *name)?;
            Some(Plot::of(figures, plot.column, title, &peers))
        })
        .collect();
    if shown.len() < OVERVIEW.len() {
        return Ok(());
    }
    picture(&folder.join("overview.svg"), (980, 620), (2, 3), &shown, &peers)
}

/// One work's lines: the name of a peer, and its figures by size.
struct Plot<'a> {
    column: Column,
    title: &'a str,
    lines: Vec<(&'a str, Vec<(f64, f64)>)>,
}

impl<'a> Plot<'a> {
    fn of(figures: &Figures, column: Column, title: &'a str, peers: &[(&'a str, &str)]) -> Self {
        let points = |name: &str| -> Vec<(f64, f64)> {
            let of = figures.iter().filter(|figure| figure.column == column && figure.peer == name);
            of.map(|figure| (figure.size as f64, figure.value.max(0.01))).collect()
        };
        let lines = peers.iter().map(|(name, _)| (*name, points(name)));
        Self { column, title, lines: lines.filter(|(_, points)| !points.is_empty()).collect() }
    }

    /// The sizes, least first.
    fn sizes(&self) -> Vec<f64> {
        let mut sizes: Vec<f64> = self.points().map(|point| point.0).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        sizes
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|(_, points)| points.iter().copied())
    }

    fn draw(&self, on: &Area<'_>) -> Drawn {
        let sizes = self.sizes();
        let (left, right) = (sizes[0], sizes[sizes.len() - 1]);
        let (low, high) =
            self.points().fold((f64::INFINITY, 0.0_f64), |(low, high), (_, value)| {
                (low.min(value), high.max(value))
            });
        let (low, high) = (low / 1.5, high * 1.5);
        let unit = self.column.unit.replace("us", "µs");
        let mut chart = ChartBuilder::on(on)
            .caption(format!("{}, {unit}", self.title), ("sans-serif", 15))
            .margin(8)
            .margin_right(22)
            .x_label_area_size(38)
            .y_label_area_size(50)
            .build_cartesian_2d(
                (left / 1.1..right * 1.1).log_scale().with_key_points(sizes),
                (low..high).log_scale().with_key_points(ticks(low, high)),
            )?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.5))
            .x_label_formatter(&|count| short(*count))
            .y_label_formatter(&|value| short(*value))
            .x_desc("entities")
            .axis_desc_style(("sans-serif", 12))
            .label_style(("sans-serif", 12))
            .draw()?;
        // Ours last, over the others.
        for (name, points) in self.lines.iter().rev() {
            let line = LineSeries::new(points.iter().copied(), style(name));
            chart.draw_series(line.point_size(3))?;
        }
        Ok(())
    }
}

/// Plots in rows, and one legend for all below them.
fn picture(
    path: &Path,
    size: (u32, u32),
    grid: (usize, usize),
    plots: &[Plot<'_>],
    peers: &[(&str, &str)],
) -> Drawn {
    let there = |name: &str| plots.iter().any(|plot| plot.lines.iter().any(|(of, _)| *of == name));
    let peers: Vec<_> = peers.iter().filter(|(name, _)| there(name)).collect();
    let (height, width) = LEGEND;
    let across = (size.0.cast_signed() - 40) / width;
    let rows = peers.len().div_ceil(usize::try_from(across)?);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let below = height * i32::try_from(rows)? + 8;
    let (panels, legend) = root.split_vertically(size.1.cast_signed() - below);
    for (panel, plot) in panels.split_evenly(grid).iter().zip(plots) {
        plot.draw(panel)?;
    }
    for (at, (name, title)) in (0..).zip(peers) {
        let (x, y) = (40 + width * (at % across), height / 2 + height * (at / across));
        legend.draw(&PathElement::new([(x, y), (x + 26, y)], style(name)))?;
        // A limit is only marked as one.
        let title = title.split(':').next().unwrap_or_default().replace('*', "");
        legend.draw(&Text::new(title, (x + 34, y - 7), ("sans-serif", 14)))?;
    }
    root.present()?;
    Ok(())
}

/// Our line is thick; reference limits are grey.
fn style(peer: &str) -> ShapeStyle {
    let colour = match peer {
        "ours" => RGBColor(214, 39, 40),
        "telethon_sqlite" => RGBColor(31, 119, 180),
        "sqlite_wal" => RGBColor(23, 190, 207),
        "redb_plain" => RGBColor(44, 160, 44),
        "lmdb" => RGBColor(148, 103, 189),
        "lmdb_append" => RGBColor(219, 112, 190),
        "fjall" => RGBColor(255, 152, 30),
        "grammers" => RGBColor(121, 85, 62),
        _ => RGBColor(170, 170, 170),
    };
    colour.filled().stroke_width(if peer == "ours" { 4 } else { 2 })
}

/// Powers of ten within a range, all or so many that they do not crowd; between them 2 and 5 where
/// there are few.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (high / low).log10();
    let (between, every): (&[f64], usize) = match decades {
        ..2.2 => (&[1.0, 2.0, 5.0], 1),
        ..6.5 => (&[1.0], 1),
        _ => (&[1.0], 2),
    };
    let powers = (-2..9).step_by(every).map(|power| 10_f64.powi(power));
    let ticks = powers.flat_map(|power| between.iter().map(move |times| times * power));
    ticks.filter(|tick| (low..=high).contains(tick)).collect()
}

/// 1000 as 1k, 1,000,000 as 1M.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    // Without the last digits of a sum of tenths.
    format!("{}{unit}", (value * 1000.0).round() / 1000.0)
}
