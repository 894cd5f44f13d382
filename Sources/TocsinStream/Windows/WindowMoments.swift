/// The moments of a window, combined from the sums of its sealed panes.
///
/// Two passes over the panes: first the common mean, then every pane's central sums shifted to it. This is the
/// pairwise update of Chan, Golub, LeVeque ("Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances", 1979) and Pébay (SAND2008-6212, 2008) taken for all panes at once: with `d` the distance of a pane's
/// mean from the common one, M2 += M2p + n d²; M3 += M3p + 3 d M2p + n d³; M4 += M4p + 4 d M3p + 6 d² M2p + n d⁴; and
/// so for the sums of products.
struct WindowMoments {
    var count = 0
    var sum = 0.0
    var mean = 0.0
    var secondMoment = 0.0
    var thirdMoment = 0.0
    var fourthMoment = 0.0
    var lagProducts = 0.0
    var absoluteChange = 0.0
    var timeMoment = 0.0
    var timeProducts = 0.0
    var meanCrossings = 0
    var first = 0.0
    var last = 0.0

    /// Mean less the first value. Deviations are taken from here, where nothing is lost to a large common offset.
    private var meanOffset = 0.0

    /// - Parameters:
    ///   - words: the pool.
    ///   - panes: offsets in `words` of the directory entries of the window's panes, at least one, all sealed.
    init(_ words: Span<UInt64>, panes: Range<Int>, paneSeconds: Double) {
        let origin = PaneView(words, directoryEntry: panes.lowerBound)
        first = origin.value(0, words)
        var meanOffsets = 0.0
        var meanTimes = 0.0
        for entry in stride(from: panes.lowerBound, to: panes.upperBound, by: 2) {
            let pane = PaneView(words, directoryEntry: entry)
            let weight = Double(pane.count)
            count += pane.count
            sum += pane.field(SealedPane.sum, words)
            meanOffsets += weight * pane.meanOffset(from: first, words)
            meanTimes += weight * pane.meanTime(since: origin, paneSeconds: paneSeconds, words)
        }
        meanOffset = meanOffsets / Double(count)
        mean = first + meanOffset
        let meanTime = meanTimes / Double(count)
        var side = Side.unknown
        for entry in stride(from: panes.lowerBound, to: panes.upperBound, by: 2) {
            let pane = PaneView(words, directoryEntry: entry)
            let shift = pane.meanOffset(from: first, words) - meanOffset
            add(pane, shift: shift, words, follows: entry > panes.lowerBound)
            let timeShift = pane.meanTime(since: origin, paneSeconds: paneSeconds, words) - meanTime
            let weight = Double(pane.count)
            timeMoment += pane.field(SealedPane.timeMoment, words) + weight * timeShift * timeShift
            timeProducts += pane.field(SealedPane.timeProducts, words) + weight * timeShift * shift
            meanCrossings += pane.crossings(of: mean, from: &side, words)
        }
    }

    /// - Parameter shift: the pane's mean less the window's.
    private mutating func add(_ pane: PaneView, shift: Double, _ words: Span<UInt64>, follows: Bool) {
        let weight = Double(pane.count)
        let square = shift * shift
        let paneSecond = pane.field(SealedPane.secondMoment, words)
        let paneThird = pane.field(SealedPane.thirdMoment, words)
        let paneFourth = pane.field(SealedPane.fourthMoment, words)
        secondMoment += paneSecond + weight * square
        thirdMoment += paneThird + 3 * shift * paneSecond + weight * square * shift
        fourthMoment += paneFourth + 4 * shift * paneThird + 6 * square * paneSecond + weight * square * square
        let (paneFirst, paneLast) = (pane.value(0, words), pane.value(pane.count - 1, words))
        // Deviations from the pane's own mean sum to 0; all but the last (first) one therefore to minus the last
        // (first).
        let ends = paneLast - paneFirst - 2 * pane.field(SealedPane.meanOffset, words)
        lagProducts += pane.field(SealedPane.lagProducts, words) - shift * ends + (weight - 1) * square
        absoluteChange += pane.field(SealedPane.absoluteChange, words)
        if follows {
            lagProducts += (last - first - meanOffset) * (paneFirst - first - meanOffset)
            absoluteChange += abs(paneFirst - last)
        }
        last = paneLast
    }
}
