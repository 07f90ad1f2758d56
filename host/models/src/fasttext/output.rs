//! The last layer: from the vector of a text to the best labels, for each kind of loss.

use super::matrix::Matrix;
use crate::error::damaged;

#[derive(Debug)]
pub(crate) enum Loss {
    /// A tree of labels; inner node `n` has row `n - labels` of the matrix.
    Tree(Tree),
    /// Probabilities that add up to 1.
    Softmax,
    /// Each label by itself: negative sampling, and one against all.
    Sigmoid,
}

#[derive(Debug)]
pub(crate) struct Tree {
    labels: usize,
    /// The children of each inner node.
    children: Vec<[u32; 2]>,
}

/// The best labels so far, with the logarithms of their scores, best first.
#[derive(Debug, Default)]
pub(crate) struct Best {
    wanted: usize,
    found: Vec<(u32, f32)>,
}

impl Best {
    pub(crate) fn new(wanted: usize) -> Self {
        Self {
            wanted,
            found: Vec::new(),
        }
    }

    /// Whether a score does not get in.
    fn refuses(&self, score: f32) -> bool {
        self.found.len() == self.wanted && self.found.last().is_none_or(|(_, worst)| score < *worst)
    }

    fn offer(&mut self, label: usize, score: f32) {
        if self.refuses(score) {
            return;
        }
        if self.found.len() == self.wanted {
            self.found.pop();
        }
        // The last one among equals comes first.
        let better = |(_, other): &&(u32, f32)| score < *other;
        let place = self.found.iter().take_while(better).count();
        self.found.insert(place, (label as u32, score));
    }

    /// The labels and their scores, best first.
    pub(crate) fn scores(self) -> Vec<(u32, f32)> {
        let mut found = self.found;
        found.iter_mut().for_each(|(_, score)| *score = score.exp());
        found
    }
}

/// fastText's logarithm.
fn log(x: f64) -> f32 {
    (x + 1e-5).ln() as f32
}

/// fastText takes sigmoids from a table of 512 steps from -8 to 8.
fn sigmoid(x: f32) -> f32 {
    match x {
        ..-8.0 => 0.0,
        x if x > 8.0 => 1.0,
        x => {
            let step = ((x + 8.0) * 512.0 / 8.0 / 2.0) as i64;
            let at = (step * 16) as f32 / 512.0 - 8.0;
            (1.0 / (1.0 + f64::from((-at).exp()))) as f32
        }
    }
}

impl Loss {
    pub(crate) fn new(kind: i32, label_counts: &[i64]) -> Result<Self, String> {
        match kind {
            1 => Tree::new(label_counts).map(Self::Tree),
            3 => Ok(Self::Softmax),
            2 | 4 => Ok(Self::Sigmoid),
            _ => Err(damaged("loss")),
        }
    }

    /// Finds the best labels.
    pub(crate) fn best(
        &self,
        file: &[u8],
        matrix: &Matrix,
        hidden: &[f32],
        scores: &mut Vec<f32>,
        best: &mut Best,
    ) {
        if let Self::Tree(tree) = self {
            return tree.best(file, matrix, hidden, best);
        }
        scores.clear();
        scores.extend((0..matrix.rows()).map(|row| matrix.dot_row(file, row, hidden)));
        if let Self::Softmax = self {
            let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            scores
                .iter_mut()
                .for_each(|score| *score = (*score - max).exp());
            let sum: f32 = scores.iter().sum();
            scores.iter_mut().for_each(|score| *score /= sum);
        } else {
            scores.iter_mut().for_each(|score| *score = sigmoid(*score));
        }
        for (label, &score) in scores.iter().enumerate() {
            best.offer(label, log(score.into()));
        }
    }
}

impl Tree {
    /// The Huffman tree of the counts, which fastText keeps in descending order.
    fn new(counts: &[i64]) -> Result<Self, String> {
        const FREE: i64 = 1_000_000_000_000_000;
        let labels = counts.len();
        if counts.iter().any(|&count| !(0..FREE).contains(&count)) {
            return Err(damaged("counts of labels"));
        }
        let mut count = counts.to_vec();
        count.resize(2 * labels - 1, FREE);
        let mut children = Vec::with_capacity(labels - 1);
        let (mut leaf, mut inner) = (labels, labels);
        for node in labels..2 * labels - 1 {
            let mut least = || {
                if leaf > 0 && (inner >= node || count[leaf - 1] < count[inner]) {
                    leaf -= 1;
                    return Ok(leaf);
                }
                inner += 1;
                if inner > node {
                    Err(damaged("counts of labels"))
                } else {
                    Ok(inner - 1)
                }
            };
            let (left, right) = (least()?, least()?);
            // A file may have any counts.
            count[node] = count[left].saturating_add(count[right]);
            children.push([left as u32, right as u32]);
        }
        Ok(Self { labels, children })
    }

    fn best(&self, file: &[u8], matrix: &Matrix, hidden: &[f32], best: &mut Best) {
        let least = log(0.0);
        let mut open = vec![(2 * self.labels - 2, 0.0f32)];
        while let Some((node, score)) = open.pop() {
            if score < least || best.refuses(score) {
                continue;
            }
            let Some(inner) = node.checked_sub(self.labels) else {
                best.offer(node, score);
                continue;
            };
            let product = matrix.dot_row(file, inner, hidden);
            let right = (1.0 / (1.0 + f64::from((-product).exp()))) as f32;
            let [left_node, right_node] = self.children[inner];
            // The left child is visited first.
            open.push((right_node as usize, score + log(right.into())));
            open.push((left_node as usize, score + log(1.0 - f64::from(right))));
        }
    }
}
