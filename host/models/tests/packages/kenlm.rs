//! Language models of all kinds that KenLM's own tools write give the scores of the `kenlm` package.

use super::*;

const VERSION: &str = "kenlm==0.3.0";
const PACKAGE: Package = Package {
    name: "kenlm",
    install: &[VERSION],
    works: "import kenlm",
    dir: DIR,
};

/// KenLM's `build_binary`, compiled from the sources of the package.
fn build_binary() -> PathBuf {
    let dir = Path::new(DIR).join("kenlm-source");
    let program = dir.join("build_binary");
    if !program.exists() {
        std::fs::create_dir_all(&dir).unwrap();
        run(Command::new(PACKAGE.python())
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--no-binary", "kenlm", VERSION, "--dest"])
            .arg(&dir))
        .unwrap();
        let build = "tar xzf kenlm-*.tar.gz --strip-components=1 && \
                     g++ -O1 -w -DNDEBUG -DKENLM_MAX_ORDER=6 -I. -o build_binary.new \
                     $(ls lm/*.cc util/*.cc util/double-conversion/*.cc \
                       | grep -v -E 'test|benchmark|_main' ) lm/build_binary_main.cc -lrt && \
                     mv build_binary.new build_binary";
        run(Command::new("sh").args(["-c", build]).current_dir(&dir)).unwrap();
    }
    program
}

#[test]
fn models_give_the_scores_of_kenlm() {
    let dir = train(&PACKAGE, "estimate.py", &[&build_binary()]);
    let (texts, answers) = (
        json(&dir.join("texts.json")),
        json(&dir.join("answers.json")),
    );
    let texts = strings(&texts);
    let models = answers.as_object().unwrap();
    assert_eq!(models.len(), 25);
    let mut differ = Vec::new();
    for (name, answers) in models {
        let Model::Kenlm(model) = open(&dir.join(name)) else {
            panic!("{name} is of another kind");
        };
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            // KenLM's numbers are in single precision.
            let got = [
                model.score(text),
                model.score_part(text, false, true),
                model.score_part(text, true, false),
            ]
            .map(|score| score as f32);
            let expected: Vec<f32> = expected
                .as_array()
                .unwrap()
                .iter()
                .map(|score| score.as_f64().unwrap() as f32)
                .collect();
            // Added in the same order and precision: the same numbers.
            if got != expected[..] {
                differ.push(format!("{name}: {got:?}, not {expected:?}: {text:.60?}"));
            }
        }
    }
    report(&differ, models.len() * texts.len());
}
