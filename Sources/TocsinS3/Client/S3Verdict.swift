internal import TocsinCore

/// What follows from a failed attempt. The error is for when the correction does not help.
enum S3Verdict {
    case again(TocsinError, asked: Duration?)
    case fail(TocsinError)
    /// The service's clock less ours.
    case clock(Span64, TocsinError)
    case region(String, TocsinError)
    /// Perhaps new keys stand in the file by now.
    case keys(TocsinError)
}
