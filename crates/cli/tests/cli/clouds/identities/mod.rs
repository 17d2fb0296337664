//! Identities, against stand-ins of whoever gives them out, through the program.

mod aws;
mod aws_wrong;
mod azure;
mod google;
mod stand_in;

use crate::support::Place;
use stand_in::StandIn;

/// A wrong identity.
struct Wrong<'a> {
    name: &'a str,
    variables: Vec<(&'a str, String)>,
    /// The resource, what is wrong, and the cure.
    words: &'a [&'a str],
}

impl Wrong<'_> {
    /// Asserts that neither `status` nor `serve` goes on with it, that both say why and how to mend it without the
    /// `secrets`, and that nobody else is asked.
    fn is_told(&self, place: impl Fn() -> Place, secrets: &[&str], others: &[&StandIn]) {
        for verb in ["status", "serve"] {
            let mut place = place();
            for (name, value) in &self.variables {
                place = place.with(name, value);
            }
            let ran = place.run(&[verb]);
            assert_eq!(ran.code, 78, "{}: {ran:?}", self.name);
            for word in self.words {
                assert!(
                    ran.stderr.contains(word),
                    "{}: no {word:?} in {ran:?}",
                    self.name
                );
            }
            for secret in secrets {
                assert!(
                    !format!("{ran:?}").contains(secret),
                    "{}: {secret} in {ran:?}",
                    self.name
                );
            }
            for other in others {
                let asked = other.asked();
                assert!(asked.is_empty(), "{}: {asked:?}", self.name);
            }
        }
    }
}
