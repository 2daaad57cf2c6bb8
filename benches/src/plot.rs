//! A plot for each work: figures against sizes, both logarithmic, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::table::{Column, Figures};

/// Writes one SVG a work into `folder`, for works measured at two sizes or more.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(
    figures: &Figures,
    peers: &[(&str, &str)],
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for column in figures.columns(None) {
        let lines = lines(figures, column, peers);
        if lines.iter().any(|(_, points)| points.len() > 1) {
            draw(column, &lines, &folder.join(format!("{}.svg", column.name)))?;
        }
    }
    Ok(())
}

type Lines = Vec<(String, Vec<(f64, f64)>)>;

fn lines(figures: &Figures, column: Column, peers: &[(&str, &str)]) -> Lines {
    let points = |name: &str| {
        let of = figures.iter().filter(|figure| figure.column == column && figure.peer == name);
        of.map(|figure| (figure.size as f64, figure.value.max(0.01))).collect()
    };
    let lines = peers.iter().map(|(name, title)| (title.replace('*', ""), points(name)));
    lines.filter(|(_, points): &(_, Vec<_>)| !points.is_empty()).collect()
}

fn draw(column: Column, lines: &Lines, path: &Path) -> Result<(), Box<dyn Error>> {
    let all = || lines.iter().flat_map(|(_, points)| points);
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let least = all().map(of).fold(f64::INFINITY, f64::min);
        (least, all().map(of).fold(0.0, f64::max))
    };
    let ((left, right), (low, high)) = (ends(|point| point.0), ends(|point| point.1));
    let root = SVGBackend::new(path, (760, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("{}, {}", column.title, column.unit), ("sans-serif", 18))
        .margin(12)
        .margin_right(24)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d((left..right).log_scale(), (low / 1.5..high * 1.5).log_scale())?;
    chart.configure_mesh().light_line_style(WHITE).x_desc("entities").draw()?;
    for (at, (title, points)) in lines.iter().enumerate() {
        let style = Palette99::pick(at).stroke_width(if at == 0 { 4 } else { 2 });
        let series = LineSeries::new(points.iter().copied(), style).point_size(3);
        chart
            .draw_series(series)?
            .label(title)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .position(SeriesLabelPosition::UpperLeft)
        .draw()?;
    root.present()?;
    Ok(())
}
