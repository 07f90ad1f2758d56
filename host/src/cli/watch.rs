//! The live view of `djhost monitor --watch`.

use std::time::{Duration, Instant};

use anyhow::Result;
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Gauge, Paragraph, Row, Sparkline, Table};

use crate::event::{JobProgress, JobState, PartitionProgress};
use crate::job::mapping::PartitionState;
use crate::job::show::{bytes, count, seconds};
use crate::job::{JobUtils, StopOutcome, stop_job};

/// What the view shows beside the job.
#[derive(Default)]
struct View {
    detailed: bool,
    /// The question whether to stop is on the screen.
    asking: bool,
    /// What became of the request to stop.
    said: String,
}

/// Shows the job until it ends or the user quits. The terminal is restored also on a panic.
pub(super) fn run(job: &JobUtils, interval: Duration, detailed: bool) -> Result<()> {
    let mut terminal = ratatui::try_init()?;
    let done = show(&mut terminal, job, interval, View { detailed, ..View::default() });
    ratatui::try_restore()?;
    done
}

fn show(terminal: &mut ratatui::DefaultTerminal, job: &JobUtils, interval: Duration, mut view: View) -> Result<()> {
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
            let Event::Key(key) = event::read()? else { continue };
            if key.kind != KeyEventKind::Press {
                continue;
            }
            let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
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

/// Asks the job to stop, without waiting: the view goes on showing what it does.
fn stop(progress: &JobProgress) -> Result<String> {
    let report = stop_job(&progress.work_dir, false, Duration::ZERO)?;
    Ok(match report.outcome {
        StopOutcome::StillRunning => "asked to stop: it finishes what it has begun".to_owned(),
        _ => format!("the job is {}", report.status),
    })
}

fn draw(frame: &mut Frame<'_>, p: &JobProgress, view: &View) {
    let ops = if view.detailed { p.ops.len() as u16 + 3 } else { 0 };
    let [head, gauge, speed, partitions, ops_area, foot] = Layout::vertical([
        Constraint::Length(4),
        Constraint::Length(3),
        Constraint::Length(5),
        Constraint::Min(4),
        Constraint::Max(ops),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(head_lines(p), head);
    let label =
        format!("{:.1} %{}", 100.0 * p.fraction, p.eta_seconds.map(|s| format!(", about {} to go", seconds(s))).unwrap_or_default());
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
        Line::from(" Stop this job? It commits what is complete and can be continued. y stops, any other key goes back ").reversed()
    } else if view.said.is_empty() {
        Line::from(" q quit   s stop the job   d details   space look now ").dim()
    } else {
        Line::from(format!(" {}   q quit", view.said)).fg(Color::Yellow)
    };
    frame.render_widget(foot_line, foot);
}

fn head_lines(p: &JobProgress) -> Paragraph<'_> {
    let c = &p.partitions;
    let title = Line::from(vec![
        format!(" {} ", p.job_id).bold(),
        p.status.to_string().fg(colour(p.status)),
        format!("  attempt {}, {} at work, process {}", p.attempt, seconds(p.duration), p.process_id.unwrap_or(0)).into(),
    ]);
    let rows_of = p.rows.total.map(|t| format!(" of {}", count(t))).unwrap_or_default();
    Paragraph::new(vec![
        title,
        Line::from(format!(" {} -> {}", p.dataset_path, p.export_path)).dim(),
        Line::from(format!(
            " partitions: {} done, {} running, {} waiting, {} failed of {}",
            c.done, c.running, c.waiting, c.failed, c.total
        )),
        Line::from(format!(
            " rows: {}{rows_of} read, {} out, {} in quarantine · checkpoints: {} ({})",
            count(p.rows.read),
            count(p.rows.output),
            count(p.rows.quarantined),
            p.checkpoints.saved,
            bytes(p.checkpoints.bytes)
        )),
    ])
}

fn draw_speed(frame: &mut Frame<'_>, p: &JobProgress, area: Rect) {
    let title = format!(" {} rows/s, {}/s ", count(p.rates.rows_per_second as u64), bytes(p.rates.bytes_per_second as u64));
    let block = Block::bordered().title(title);
    // Stretched over the width: the whole attempt is in view.
    let width = usize::from(block.inner(area).width);
    let history = &p.rates.history;
    let data: Vec<u64> = (0..width).filter_map(|x| history.get(x * history.len() / width)).map(|rate| *rate as u64).collect();
    frame.render_widget(Sparkline::default().block(block).data(&data).style(Style::new().fg(Color::Cyan)), area);
}

fn draw_partitions(frame: &mut Frame<'_>, p: &JobProgress, area: Rect) {
    // Running and failed ones first: with many partitions these are the ones to see.
    let mut shown: Vec<&PartitionProgress> = p.partition.iter().collect();
    shown.sort_by_key(|q| match q.state {
        PartitionState::Failed => 0,
        PartitionState::Processing => 1,
        PartitionState::Pending => 2,
        PartitionState::Completed => 3,
    });
    let rows = shown.iter().take(usize::from(area.height.saturating_sub(3))).map(|q| {
        let now = q.error_message.clone().or(q.current_op.as_ref().map(|op| format!("op {} {}", op.index, op.name))).unwrap_or_default();
        let full = (q.fraction * 16.0).round() as usize;
        Row::new([
            Cell::from(q.partition_id.to_string()),
            Cell::from(q.state.to_string()).style(Style::new().fg(partition_colour(q.state))),
            Cell::from(format!("{}{} {:>3.0} %", "█".repeat(full), "░".repeat(16 - full), 100.0 * q.fraction)),
            Cell::from(count(q.rows_in)),
            Cell::from(q.checkpoints.len().to_string()),
            Cell::from(now),
        ])
    });
    let widths = [
        Constraint::Length(5),
        Constraint::Length(8),
        Constraint::Length(22),
        Constraint::Length(12),
        Constraint::Length(11),
        Constraint::Min(10),
    ];
    let header = Row::new(["id", "state", "done", "rows in", "checkpoints", "now"]).style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(Table::new(rows, widths).header(header).block(Block::bordered().title(" partitions ")), area);
}

fn draw_ops(frame: &mut Frame<'_>, p: &JobProgress, area: Rect) {
    let rows = p.ops.iter().map(|op| {
        let t = &op.totals;
        Row::new([
            t.index.to_string(),
            t.name.clone(),
            count(t.rows_in),
            count(t.rows_out),
            format!("{:.1} %", 100.0 * op.reduction_ratio),
            format!("{:.2}", t.wall_seconds),
            count(op.throughput as u64),
        ])
    });
    let widths = [
        Constraint::Length(4),
        Constraint::Min(20),
        Constraint::Length(12),
        Constraint::Length(12),
        Constraint::Length(10),
        Constraint::Length(10),
        Constraint::Length(10),
    ];
    let header =
        Row::new(["op", "name", "rows in", "rows out", "reduction", "seconds", "rows/s"]).style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(Table::new(rows, widths).header(header).block(Block::bordered().title(" ops ")), area);
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
