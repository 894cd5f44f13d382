internal import TocsinCore
internal import TocsinMeasure

/// One measured piece of work.
public struct ModelFigure: Sendable, Equatable {
    /// For programs: `forest_batch`.
    public var key: String
    /// For people: `forest, batch of 20,000 rows`.
    public var name: String
    /// What is counted: `rows`.
    public var unit: String
    /// Units a second, run by run.
    public var rates: [Double]
    public var threads: Int

    init(_ key: String, _ name: String, unit: String = "rows", rates: [Double], threads: Int = 1) {
        self.key = key
        self.name = name
        self.unit = unit
        self.rates = rates
        self.threads = threads
    }

    /// The run in the middle.
    public var rate: Double { rates.isEmpty ? 0 : rates.sorted()[rates.count / 2] }
    public var nanoseconds: Double { rate > 0 ? 1e9 / rate : 0 }
}

/// What `ModelBenchmark` found.
public struct ModelReport: Sendable {
    public var repeats: Int
    public var figures: [ModelFigure] = []

    /// For people.
    public var text: String {
        var table = TextTable(["model", "threads", "a second", "least", "most", "ns each"])
        for figure in figures {
            table.add([
                figure.name, "\(figure.threads)", "\(Figure.decimal(figure.rate, digits: 0)) \(figure.unit)",
                Figure.decimal(figure.rates.min() ?? 0, digits: 0), Figure.decimal(figure.rates.max() ?? 0, digits: 0),
                Figure.decimal(figure.nanoseconds, digits: 1),
            ])
        }
        return [Machine.current().line, "median of \(repeats)", "", table.text].joined(separator: "\n")
    }

    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("models", &$0)
            $0.field("repeats", repeats)
            $0.key("figures")
            $0.array { list in
                for figure in figures {
                    list.object {
                        $0.field("key", figure.key)
                        $0.field("name", figure.name)
                        $0.field("unit", figure.unit)
                        $0.field("threads", figure.threads)
                        $0.field("per_second", figure.rate)
                        $0.field("nanoseconds", figure.nanoseconds)
                    }
                }
            }
        }
        json.newline()
        return json.bytes
    }
}
