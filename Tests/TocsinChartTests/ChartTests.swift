import Testing
import TocsinChart
import TocsinCore

@Suite struct ChartTests {
    static let start: Int64 = 1_759_276_800
    static func time(_ second: Int) -> Timestamp { Timestamp(nanoseconds: (start + Int64(second)) * 1_000_000_000) }

    private func chart(_ values: [Double], title: String = "pump", change: (inout ChartPanel) -> Void = { _ in })
        -> Chart
    {
        var panel = ChartPanel(title: "temperature (°C)")
        panel.lines = [
            ChartLine(name: "measured", times: values.indices.map { Self.time($0) }, values: values)
        ]
        change(&panel)
        return Chart(title: title, panels: [panel])
    }

    /// The path of the one blue line.
    private func path(_ svg: String) -> String {
        ParsedSVG(svg).all("path").first { $0.attributes["stroke"] == "#0072b2" }?.attributes["d"] ?? ""
    }

    @Test func theSameChartGivesTheSameBytes() {
        let values = (0..<5000).map { Double($0 * 7919 % 1000) }
        #expect(chart(values).svg() == chart(values).svg())
        #expect(ParsedSVG(chart(values).svg()).isWellFormed)
    }

    @Test func textIsEscaped() {
        let nasty = "a<script>&\"'\u{0}\u{1B}[2J\u{202E}\u{FFFF}]]>b"
        let svg = chart([1, 2, 3], title: nasty) { panel in
            panel.title = nasty
            panel.limits = [ChartLimit(name: nasty, value: 2)]
            panel.marks = [
                ChartMark(time: Self.time(1), value: 2, name: nasty, caption: nasty, style: .of(.spike))
            ]
        }.svg()
        let parsed = ParsedSVG(svg)
        #expect(parsed.isWellFormed)
        #expect(!svg.contains("<script"))
        #expect(!svg.unicodeScalars.contains { $0.value == 0x202E || $0.value == 0x1B || $0.value == 0 })
        #expect(parsed.texts.first == "a<script>&\"'\u{FFFD}\u{FFFD}[2J\u{FFFD}\u{FFFD}]]>b")
    }

    @Test func aMillionReadingsStaySmallAndKeepTheOneSpike() throws {
        var values = (0..<1_000_000).map { Double($0 % 100) }
        let calm = chart(values).svg()
        values[123_457] = 500
        let svg = chart(values).svg()
        #expect(svg.utf8.count < 200_000)
        #expect(svg != calm)
        // The spike reaches nearer to the top of the plot than anything else.
        let heights = path(svg).split { "ML".contains($0) }.compactMap {
            $0.split(separator: " ").last.flatMap { Double($0) }
        }
        let top = try #require(heights.min())
        #expect(heights.count(where: { $0 < top + 50 }) <= 2)
    }

    @Test func aGapIsNotBridged() {
        var values = (0..<100).map(Double.init)
        #expect(path(chart(values).svg()).count { $0 == "M" } == 1)
        values[50] = .nan
        #expect(path(chart(values).svg()).count { $0 == "M" } == 2)
        let apart = Chart(
            title: "",
            panels: [
                {
                    var panel = ChartPanel(title: "")
                    panel.lines = [
                        ChartLine(
                            name: "", times: [0, 1, 2, 50, 51].map { Self.time($0) }, values: [1, 2, 1, 2, 1],
                            longestGap: .seconds(10))
                    ]
                    return panel
                }()
            ])
        #expect(path(apart.svg()).count { $0 == "M" } == 2)
    }

    @Test func unsortedTimesAreDrawnInOrder() {
        let times = [3, 1, 2, 0].map { Self.time($0) }
        var panel = ChartPanel(title: "")
        panel.lines = [ChartLine(name: "", times: times, values: [3, 1, 2, 0])]
        let shuffled = path(Chart(title: "", panels: [panel]).svg())
        panel.lines = [ChartLine(name: "", times: (0..<4).map { Self.time($0) }, values: [0, 1, 2, 3])]
        #expect(shuffled == path(Chart(title: "", panels: [panel]).svg()))
    }

    @Test(arguments: [
        (3600, "00:10", "1 Oct 2025"), (60, "00:00:10", "1 Oct 2025"), (86_400 * 5, "2 Oct", "2025"),
        (86_400 * 300, "Nov", "2025"), (86_400 * 4000, "2030", ""),
    ])
    func ticksStandAtRoundTimes(seconds: Int, label: String, context: String) {
        var panel = ChartPanel(title: "")
        panel.lines = [ChartLine(name: "", times: [Self.time(0), Self.time(seconds)], values: [0, 1])]
        let texts = ParsedSVG(Chart(title: "", panels: [panel]).svg()).texts
        #expect(texts.contains(label), "\(texts)")
        #expect(texts.contains("UTC"))
        if !context.isEmpty { #expect(texts.contains(context), "\(texts)") }
    }

    @Test func rowsAreCountedWhereThereAreNoTimes() {
        var panel = ChartPanel(title: "")
        let times = (0...20_000).map { Timestamp(nanoseconds: Int64($0)) }
        panel.lines = [ChartLine(name: "", times: times, values: times.map { Double($0.nanoseconds) })]
        let texts = ParsedSVG(Chart(title: "", panels: [panel], axis: .rows).svg()).texts
        #expect(texts.contains("row") && texts.contains("10,000") && !texts.contains("UTC"))
    }

    @Test func captionsNeverLieOverOneAnother() throws {
        let svg = chart((0..<1000).map { Double($0 % 50) }) { panel in
            panel.marks = (0..<60).map { index in
                ChartMark(
                    time: Self.time(index * 7), value: 20, name: "spike", caption: "spike \(index)",
                    style: .of(.spike, isStrong: index == 33))
            }
        }.svg()
        let captions = ParsedSVG(svg).all("text").filter { $0.text.hasPrefix("spike ") && !$0.text.contains("(") }
        #expect(captions.contains { $0.text == "spike 33" })
        #expect(captions.count > 5)
        for left in captions.indices {
            for right in captions.indices
            where right > left && captions[left].attributes["y"] == captions[right].attributes["y"] {
                let first = try #require(captions[left].attributes["x"].flatMap(Double.init))
                let second = try #require(captions[right].attributes["x"].flatMap(Double.init))
                // Eight characters of 11 pixels are more than 35 pixels wide in every usual font.
                #expect(abs(first - second) > 35)
            }
        }
    }

    @Test func aLimitFarAwayDoesNotPressTheLineFlat() {
        let svg = chart([20, 21, 22, 21]) { $0.limits = [ChartLimit(name: "critical", value: 10_000)] }.svg()
        let texts = ParsedSVG(svg).texts
        #expect(texts.contains("critical (above the picture)"))
        #expect(texts.contains("21.0") || texts.contains("21"), "\(texts)")
    }

    @Test func marksAreCountedInTheLegend() {
        let texts = ParsedSVG(
            chart([1, 2, 3, 4]) { panel in
                panel.marks = (0..<3).map {
                    ChartMark(time: Self.time($0), value: 1, name: "drift", style: .of(.drift))
                }
            }.svg()
        ).texts
        #expect(texts.contains("drift (3)"))
    }

    @Test func nothingThatCanBeHandedOverTraps() {
        let far = [Timestamp(nanoseconds: .min), Timestamp(nanoseconds: 0), Timestamp(nanoseconds: .max)]
        let values: [[Double]] = [
            [], [.nan, .nan, .nan], [.infinity, 0, -.infinity], [1e308, -1e308, 0], [5, 5, 5], [1e-308, 2e-308, 0],
        ]
        for times in [far, [far[1], far[1], far[1]], []] {
            for line in values {
                var panel = ChartPanel(title: "", height: .nan)
                panel.lines = [ChartLine(name: "x", times: times, values: line, longestGap: .seconds(1))]
                panel.bands = [ChartBand(name: "b", times: times, low: line, high: line.reversed())]
                panel.limits = line.map { ChartLimit(name: "limit", value: $0) }
                panel.marks = zip(times, line).map {
                    ChartMark(time: $0, value: $1, name: "m", caption: "caption", style: .of(.silence))
                }
                panel.ranges = [ChartRange(start: far[2], end: far[0], name: "r", caption: "range")]
                let bars = ChartBars(title: "bars", bars: line.map { .init(name: "bar", value: $0, text: "t") })
                for axis in [Chart.Axis.time, .rows] {
                    let chart = Chart(title: "", panels: [panel, panel], bars: bars, axis: axis, width: .infinity)
                    #expect(ParsedSVG(chart.svg()).isWellFormed)
                }
            }
        }
        #expect(ParsedSVG(Chart(title: "", panels: []).svg()).isWellFormed)
    }
}
