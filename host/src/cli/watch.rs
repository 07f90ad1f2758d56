//! The live view of `djhost monitor --watch`.

use std::time::{Duration, Instant};

use anyhow::Result;
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Gauge, Paragraph, Row, Sparkline, Table};

use crate::jobs::show::{partition_counts, to_go};
use crate::jobs::{Job, JobProgress, JobState, PartitionProgress, StopOutcome, stop_job};
use crate::rundir::mapping::PartitionState;
use crate::term::{self, Column, bytes, count, cut_start, seconds};

/// What the view shows in addition to the job.
#[derive(Default)]
struct View {
    detailed: bool,
    /// Whether it asks if the job is to be stopped.
    asking: bool,
    /// The result of the request to stop.
    said: String,
}

/// Shows the job until it ends or the user quits. Restores the terminal even after a panic.
pub(crate) fn run(job: &Job, interval: Duration, detailed: bool) -> Result<()> {
    let mut terminal = ratatui::try_init()?;
    let done = show(
        &mut terminal,
        job,
        interval,
        View {
            detailed,
            ..View::default()
        },
    );
    ratatui::try_restore()?;
    done
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    job: &Job,
    interval: Duration,
    mut view: View,
) -> Result<()> {
    loop {
        let progress = job.overall_progress()?;
        if !progress.status.is_running() {
            return Ok(());
        }
        let next = Instant::now() + interval;
        loop {
            terminal.draw(|frame| draw(frame, &progress, &view))?;
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() || !event::poll(left)? {
                break;
            }
            let Event::Key(key) = event::read()? else {
                continue;
            };
            if key.kind != KeyEventKind::Press {
                continue;
            }
            let interrupt =
                key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                _ if interrupt => return Ok(()),
                KeyCode::Char('y' | 'Y') if view.asking => {
                    view.asking = false;
                    view.said = stop(&progress)?;
                    break;
                }
                _ if view.asking => view.asking = false,
                KeyCode::Char('q' | 'Q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('s' | 'S') => view.asking = true,
                KeyCode::Char('d' | 'D') => view.detailed = !view.detailed,
                KeyCode::Char(' ' | 'r') => break,
                _ => {}
            }
        }
    }
}

/// Asks the job to stop without waiting: the view continues to show what it does.
fn stop(progress: &JobProgress) -> Result<String> {
    let report = stop_job(&progress.work_dir, false, Duration::ZERO)?;
    Ok(match report.outcome {
        StopOutcome::StillRunning => "asked to stop: it finishes what it has begun".to_owned(),
        _ => format!("the job is {}", report.status),
    })
}

fn draw(frame: &mut Frame<'_>, p: &JobProgress, view: &View) {
    let ops = if view.detailed {
        p.ops.len() as u16 + 3
    } else {
        0
    };
    let [head, gauge, speed, partitions, ops_area, foot] = Layout::vertical([
        Constraint::Length(4),
        Constraint::Length(3),
        Constraint::Length(5),
        Constraint::Min(4),
        Constraint::Max(ops),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(head_lines(p, usize::from(head.width)), head);
    let label = format!("{:.1} %{}", 100.0 * p.fraction, to_go(p));
    let gauge_widget = Gauge::default()
        .block(Block::bordered().title(" progress "))
        .gauge_style(Style::new().fg(colour(p.status)).bg(Color::DarkGray))
        .ratio(p.fraction.clamp(0.0, 1.0))
        .label(label);
    frame.render_widget(gauge_widget, gauge);
    draw_speed(frame, p, speed);
    draw_partitions(frame, p, partitions);
    if view.detailed {
        draw_ops(frame, p, ops_area);
    }
    let foot_line = if view.asking {
        let long = " Stop this job? It commits what is complete and can be continued. y stops, any other key goes back ";
        Line::from(if usize::from(foot.width) >= long.len() {
            long
        } else {
            " Stop this job? y stops it, any other key goes back "
        })
        .reversed()
    } else if view.said.is_empty() {
        Line::from(" q quit   s stop the job   d details   space look now ").dim()
    } else {
        Line::from(format!(" {}   q quit", view.said)).fg(Color::Yellow)
    };
    frame.render_widget(foot_line, foot);
}

fn head_lines(p: &JobProgress, width: usize) -> Paragraph<'_> {
    let attempt = format!("  attempt {}, {} at work", p.attempt, seconds(p.duration));
    let process = p
        .process_id
        .map(|pid| format!(", process {pid}"))
        .unwrap_or_default();
    let fits =
        term::width(&p.job_id) + p.status.to_string().len() + 3 + attempt.len() + process.len()
            <= width;
    let title = Line::from(vec![
        format!(" {} ", p.job_id).bold(),
        p.status.to_string().fg(colour(p.status)),
        if fits { attempt + &process } else { attempt }.into(),
    ]);
    let rows_of = p
        .rows
        .total
        .map(|t| format!(" of {}", count(t)))
        .unwrap_or_default();
    let mut rows = format!(
        " rows: {}{rows_of} read, {} out, {} in quarantine",
        count(p.rows.read),
        count(p.rows.output),
        count(p.rows.quarantined)
    );
    let checkpoints = format!(
        " · checkpoints: {} ({})",
        p.checkpoints.saved,
        bytes(p.checkpoints.bytes)
    );
    if term::width(&rows) + term::width(&checkpoints) <= width {
        rows += &checkpoints;
    }
    let room = width.saturating_sub(5) / 2;
    Paragraph::new(vec![
        title,
        Line::from(format!(
            " {} -> {}",
            cut_start(&p.dataset_path, room),
            cut_start(&p.export_path, room)
        ))
        .dim(),
        Line::from(format!(" partitions: {}", partition_counts(p))),
        Line::from(rows),
    ])
}

fn draw_speed(frame: &mut Frame<'_>, p: &JobProgress, area: Rect) {
    let title = format!(
        " {} rows/s, {}/s ",
        count(p.rates.rows_per_second as u64),
        bytes(p.rates.bytes_per_second as u64)
    );
    let block = Block::bordered().title(title);
    // Stretched over the width, so that the whole attempt is visible.
    let width = usize::from(block.inner(area).width);
    let history = &p.rates.history;
    let data: Vec<u64> = (0..width)
        .filter_map(|x| history.get(x * history.len() / width))
        .map(|rate| *rate as u64)
        .collect();
    frame.render_widget(
        Sparkline::default()
            .block(block)
            .data(&data)
            .style(Style::new().fg(Color::Cyan)),
        area,
    );
}

fn draw_partitions(frame: &mut Frame<'_>, p: &JobProgress, area: Rect) {
    // Running and failed partitions first: if there are many, these are the ones to see.
    let mut shown: Vec<&PartitionProgress> = p.partition.iter().collect();
    shown.sort_by_key(|q| match q.state {
        PartitionState::Failed => 0,
        PartitionState::Processing => 1,
        PartitionState::Pending => 2,
        PartitionState::Completed => 3,
    });
    // If there is too little room, the checkpoints are left out first, then the rows.
    let (with_rows, with_checkpoints) = (area.width >= 62, area.width >= 78);
    let only = |is_shown: bool, value| is_shown.then_some(value);
    let rows = shown
        .iter()
        .take(usize::from(area.height.saturating_sub(3)))
        .map(|q| {
            let now = q
                .error_message
                .clone()
                .or(q
                    .current_op
                    .as_ref()
                    .map(|op| format!("op {} {}", op.index, op.name)))
                .unwrap_or_default();
            let full = (q.fraction * 16.0).round() as usize;
            let cells = [
                Some(Cell::from(q.partition_id.to_string())),
                Some(
                    Cell::from(q.state.to_string())
                        .style(Style::new().fg(partition_colour(q.state))),
                ),
                Some(Cell::from(format!(
                    "{}{} {:>3.0} %",
                    "█".repeat(full),
                    "░".repeat(16 - full),
                    100.0 * q.fraction
                ))),
                only(with_rows, Cell::from(count(q.rows_in))),
                only(
                    with_checkpoints,
                    Cell::from(q.checkpoints.len().to_string()),
                ),
                Some(Cell::from(term::one_line(&now).into_owned())),
            ];
            Row::new(cells.into_iter().flatten())
        });
    let columns = [
        Some(("id", Constraint::Length(5))),
        Some(("state", Constraint::Length(8))),
        Some(("done", Constraint::Length(22))),
        with_rows.then_some(("rows in", Constraint::Length(12))),
        with_checkpoints.then_some(("checkpoints", Constraint::Length(11))),
        Some(("now", Constraint::Min(10))),
    ];
    let header = Row::new(columns.iter().flatten().map(|(name, _)| *name))
        .style(Style::new().add_modifier(Modifier::BOLD));
    let widths = columns.iter().flatten().map(|(_, width)| *width);
    frame.render_widget(
        Table::new(rows, widths)
            .header(header)
            .block(Block::bordered().title(" partitions ")),
        area,
    );
}

fn draw_ops(frame: &mut Frame<'_>, p: &JobProgress, area: Rect) {
    let block = Block::bordered().title(" ops ");
    let mut table = term::Table::new(vec![
        Column::right("op").goes(1),
        Column::left("name"),
        Column::right("rows in").goes(2),
        Column::right("rows out"),
        Column::right("reduction"),
        Column::right("seconds").goes(3),
        Column::right("rows/s").goes(4),
    ]);
    for op in &p.ops {
        let t = &op.totals;
        table.row(vec![
            t.index.to_string().into(),
            t.name.as_str().into(),
            count(t.rows_in).into(),
            count(t.rows_out).into(),
            format!("{:.1} %", 100.0 * op.reduction_ratio).into(),
            format!("{:.2}", t.wall_seconds).into(),
            count(op.throughput as u64).into(),
        ]);
    }
    let style = term::Style {
        colour: false,
        width: Some(usize::from(block.inner(area).width)),
    };
    let text = table.render(style);
    let mut lines: Vec<Line<'_>> = text.lines().map(Line::from).collect();
    if let Some(header) = lines.first_mut() {
        header.style = Style::new().add_modifier(Modifier::BOLD);
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn colour(state: JobState) -> Color {
    match state {
        JobState::Running => Color::Cyan,
        JobState::Completed => Color::Green,
        JobState::Stopping | JobState::Stopped => Color::Yellow,
        JobState::Failed | JobState::Died => Color::Red,
    }
}

fn partition_colour(state: PartitionState) -> Color {
    match state {
        PartitionState::Processing => Color::Cyan,
        PartitionState::Completed => Color::Green,
        PartitionState::Failed => Color::Red,
        PartitionState::Pending => Color::Reset,
    }
}
