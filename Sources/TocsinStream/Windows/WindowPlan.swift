internal import TocsinCore

/// Window definitions in units of panes: the pane is the greatest common divisor of all slides.
struct WindowPlan: Sendable {
    struct Definition: Sendable {
        /// In panes.
        var size: Int64
        var slide: Int64
        var seconds: Double

        /// End (in panes) of the first window that ends after `boundary`.
        @inline(__always)
        func firstEnd(after boundary: Int64) -> Int64 {
            (boundary.flooredQuotient(by: slide) &+ 1) &* slide
        }
    }

    static let millisecond: Int64 = 1_000_000
    static let maximumPanes: Int64 = 100_000

    var definitions: [Definition] = []
    /// At least a millisecond, so that pane numbers stay far from the ends of `Int64`.
    var paneNanoseconds: Int64 = 0
    /// Slide of the longest windows (ns): by this step old readings are dropped.
    private(set) var dropNanoseconds: Int64 = 0

    init(_ definitions: [WindowDefinition]) throws(TocsinError) {
        guard (1...255).contains(definitions.count) else {
            throw Self.error("there are \(definitions.count) window definitions", "give 1 to 255 of them")
        }
        for definition in definitions {
            let (size, slide) = (definition.size.nanoseconds, definition.slide.nanoseconds)
            guard slide >= Self.millisecond, size >= slide, slide % Self.millisecond == 0, size % slide == 0 else {
                throw Self.error(
                    "a window of \(definition.size.seconds) s every \(definition.slide.seconds) s is not possible",
                    "choose whole milliseconds, and a size that is a multiple of the slide")
            }
            paneNanoseconds = Self.greatestCommonDivisor(paneNanoseconds, slide)
        }
        for definition in definitions {
            let size = definition.size.nanoseconds / paneNanoseconds
            guard size <= Self.maximumPanes else {
                throw Self.error(
                    "a window of \(definition.size.seconds) s falls into \(size) panes of \(paneNanoseconds) ns",
                    "choose sizes and slides with a common divisor of at least 1/\(Self.maximumPanes) of the size")
            }
            self.definitions.append(
                Definition(
                    size: size, slide: definition.slide.nanoseconds / paneNanoseconds, seconds: definition.size.seconds)
            )
        }
        let longest = definitions.max { $0.size < $1.size }
        dropNanoseconds = longest?.slide.nanoseconds ?? paneNanoseconds
    }

    @inline(__always)
    func pane(of time: Int64) -> Int64 { time.flooredQuotient(by: paneNanoseconds) }

    /// Whether a pane can be the end of a window: numbers from outside may not overflow anything.
    func isPossible(pane: Int64) -> Bool {
        let limit = Int64.max / paneNanoseconds + 2 * Self.maximumPanes
        return (-limit...limit).contains(pane)
    }

    /// Whether a time lies before the start of a pane, without a division.
    @inline(__always)
    func isBefore(_ time: Int64, pane: Int64) -> Bool {
        let (start, overflow) = pane.multipliedReportingOverflow(by: paneNanoseconds)
        return overflow ? pane > 0 : time < start
    }

    /// Whether old readings are dropped at some time after `start` up to `time`.
    @inline(__always)
    func startsDrop(_ time: Int64, after start: Int64) -> Bool {
        start < time.flooredQuotient(by: dropNanoseconds).multipliedSaturated(by: dropNanoseconds)
    }

    /// When readings at `start` will be the oldest to be dropped: the end of its step.
    func nextDrop(after start: Int64) -> Int64 {
        (start.flooredQuotient(by: dropNanoseconds) &+ 1).multipliedSaturated(by: dropNanoseconds)
    }

    /// Start of a pane, saturated at the ends of time.
    func time(ofPane pane: Int64) -> Int64 { pane.multipliedSaturated(by: paneNanoseconds) }

    /// End (in panes) of the first window of any definition that holds `pane` and ends after it.
    func firstEnd(holding pane: Int64) -> Int64 {
        var first = Int64.max
        for definition in definitions { first = min(first, definition.firstEnd(after: pane)) }
        return first
    }

    /// First pane that a window ending after `boundary` can hold.
    func firstPaneNeeded(after boundary: Int64) -> Int64 {
        var first = Int64.max
        for definition in definitions {
            first = min(first, definition.firstEnd(after: boundary) - definition.size)
        }
        return first
    }

    private static func greatestCommonDivisor(_ left: Int64, _ right: Int64) -> Int64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }

    private static func error(_ message: String, _ remedy: String) -> TocsinError {
        TocsinError(.configuration, message, place: "windows", remedy: remedy)
    }
}
