//! Encoding of data in an envelope: as the JSON that it is, or as base64.

use crate::queue::QueueLimits;
use labelrelay_event::DataEncoding;
use labelrelay_json::Check;

/// Bodies nested deeper, an object counting twice, are not embedded: consumers' JSON parsers give up
/// somewhere above this, and then lose the whole envelope. jq before 1.8 has room for 256, an object and its
/// key take two of them, and the envelope in what `queue receive` prints takes four. Python has room for
/// about 990 containers, less what its own calls have used. (Ruby's 100 and .NET's 64 are settings, and
/// Label Studio sends 200 arrays.)
const MAX_EMBEDDED_WEIGHT: u32 = 250;

/// The encoding in which a body may go into the envelope. Only a body that was checked, whole, to be one JSON value
/// in UTF-8 is embedded unchanged: nothing in a body may ever break out of `data`.
///
/// And only one that every consumer's parser takes, and takes for the same: a parser that refuses one body
/// loses its envelope, and often the whole batch that it came with. As base64 the envelope is read, and
/// the bytes are whoever's who knows what to do with them. Not embedded are, besides what is nested deeply:
///
/// - a bare string, number, `true`, `false` or `null`: no platform sends one, and the CloudEvents SDK for
///   JavaScript drops those that count as false there;
/// - raw U+0085, U+2028 and U+2029: Python's `splitlines` and others end a line at them, in whatever file
///   of envelopes, one a line, a consumer makes; platforms write them as escapes, if ever;
/// - half of a surrogate pair: jq refuses the first half and replaces the second; Python reads a string
///   that it cannot write again;
/// - numbers beyond a double: Python refuses integers of more than 4,300 digits, Go and Rust those that
///   overflow, Java what is written in more than 1,000 digits; the rest read infinity, or the largest double.
pub(crate) fn data_encoding(check: Check, limits: QueueLimits) -> DataEncoding {
    let embeddable = check.is_json
        && !check.has_outer_whitespace
        && (1..=MAX_EMBEDDED_WEIGHT).contains(&check.weight)
        && !check.has_line_separators
        && !check.has_lone_surrogates
        && !check.has_immodest_numbers
        && !(limits.xml_characters_only && check.has_noncharacters)
        && !(limits.single_line && check.has_line_breaks);
    if embeddable {
        DataEncoding::Json
    } else {
        DataEncoding::Base64
    }
}
