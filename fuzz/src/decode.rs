//! Frames of any codec.

use transports::Codec;

use crate::CODECS;

/// What can be read can be written, and is then read as the same.
pub fn decode(frame: &[u8]) {
    for codec in CODECS {
        let Ok(message) = codec.decode(frame) else {
            continue;
        };
        let bytes = codec
            .encode(&message)
            .expect("built-in codecs write anything");
        let again = codec
            .decode(&bytes)
            .unwrap_or_else(|error| panic!("{error}: {message:?}"));
        assert_eq!(again, message, "in {codec:?}");
        assert_eq!(
            codec.encode(&again).as_deref(),
            Ok(&bytes[..]),
            "in {codec:?}"
        );

        for other in CODECS {
            let bytes = other
                .encode(&message)
                .expect("built-in codecs write anything");
            match other.decode(&bytes) {
                Ok(translated) => assert_eq!(translated, message, "from {codec:?} to {other:?}"),
                // JSON is read to half the depth that the others are.
                Err(error) => assert!(
                    matches!(other, Codec::Json) && error.to_string().contains("recursion limit"),
                    "from {codec:?} to {other:?}: {error}: {message:?}"
                ),
            }
        }
    }
}
