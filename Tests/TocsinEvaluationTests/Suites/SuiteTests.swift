import Testing
import TocsinCore
import TocsinEvaluation

@Suite struct SuiteTests {
    @Test func kindsAreNamedAndNoiseIsQuiet() throws {
        let options = Evaluation.Options(amplitude: 12, streams: 8, quietSensors: 2)
        let report = try Evaluation.run(suite: "types", path: "", detectors: ["bank"], options: options)
        for kind in ["spike", "stuck", "silence"] {
            #expect(report.figure("bank", kind, column: "recall") == 1, "\(kind)")
        }
        #expect(report.figure("bank", "noise", column: "found as any") == 1)
        #expect(report.figure("bank", "2 sensors", column: "per 100 sensors") == 0)
        let again = try Evaluation.run(suite: "types", path: "", detectors: ["bank"], options: options)
        #expect(report.text(details: true) == again.text(details: true))
    }

    @Test func namesThatDoNotFitAreRefused() throws {
        #expect(throws: TocsinError.self) {
            try Evaluation.run(suite: "types", path: "", detectors: ["oracle"])
        }
    }

    @Test func reportIsAlignedAndComplete() {
        let report = SuiteReport(
            suite: "s",
            tables: [
                .init(
                    "t", columns: [.init("a", 2), .init("long name", 0)],
                    rows: [.init("one", "p", [1.005, nil]), .init("three", "", [-0.001, 12])],
                    references: [.init("x", "", [.nan, 3.5])])
            ], notes: ["n"])
        #expect(
            report.text() == """
                s: t
                             a  long name
                ---------------------------
                one    p  1.00
                three     0.00         12
                ---------------------------
                x            -          4

                - n

                """)
        var json = JSONWriter()
        report.write(to: &json)
        let text = String(decoding: json.bytes, as: UTF8.self)
        #expect(text.contains(#"{"name":"one","part":"p","a":1.005,"long name":null}"#))
        #expect(text.contains(#""published":[{"name":"x""#))
        #expect(report.figure("three", column: "long name") == 12)
    }

    @Test(.enabled(if: hasSharedData, "the shared recordings are not beside the repository"))
    func windowedGaussianIsAsPublished() throws {
        let report = try runShared("nab", ["windowed-gaussian", "null"])
        let own = try #require(report.tables.dropFirst().first)
        let row = try #require(own.rows.first { $0.name == "windowed-gaussian" && $0.part == "causal" })
        let standard = try #require(row.figures.first ?? nil)
        #expect(abs(standard - 38.3) < 0.05)
        #expect(report.figure("null", "official", column: "standard") == 0)
    }

    @Test(.enabled(if: hasSharedData, "the shared recordings are not beside the repository"))
    func componentErrorIsAsMeasuredElsewhere() throws {
        let report = try runShared("smd", ["pca-error"])
        let first = try #require(report.figure("pca-error", "machine-1-7", column: "AP"))
        let second = try #require(report.figure("pca-error", "machine-2-4", column: "AP"))
        #expect(abs(first - 0.587) < 0.005)
        #expect(abs(second - 0.339) < 0.005)
    }

    @Test(.enabled(if: hasSharedData, "the shared recordings are not beside the repository"))
    func forestIsWithinTheSpreadOfSeeds() throws {
        let report = try runShared("adbench", ["forest"])
        for reference in try #require(report.tables.first).references {
            let area = try #require(report.figure("forest", reference.part, column: "AUROC"))
            let published = try #require(reference.figures[0])
            let spread = try #require(reference.figures[1])
            #expect(area > published - 2 * max(spread, 0.002), "\(reference.part)")
        }
    }

    @Test(.enabled(if: hasSharedData, "the shared recordings are not beside the repository"))
    func everySuiteRuns() throws {
        for (suite, detectors) in [
            ("skab", ["null"]), ("asd", ["random"]), ("kpi", ["bank"]), ("wsn", ["bank"]), ("ucr", ["bank"]),
            ("smoke", []), ("occupancy", []), ("cmapss", []),
        ] {
            let report = try runShared(suite, detectors)
            #expect(report.tables.allSatisfy { !$0.rows.isEmpty }, "\(suite)")
        }
        let skab = try runShared("skab", ["null"])
        #expect(skab.figure("null", column: "MAR %") == 100)
        let ridge = try runShared("cmapss", ["ridge"])
        #expect(try #require(ridge.figure("ridge", column: "RMSE")) < 23)
    }
}
