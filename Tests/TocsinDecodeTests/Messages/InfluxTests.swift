import Testing
import TocsinCore
import TocsinDecode

@Suite struct InfluxTests {
    private func lines(_ text: String, _ change: (inout MessageDecoderSettings) -> Void = { _ in }) -> DecodedMessages {
        var settings = MessageDecoderSettings(form: .influx)
        change(&settings)
        return decode(MessageBatch(body: Array(text.utf8)), settings)
    }

    @Test func fieldsOfAllKinds() {
        let result = lines(
            "weather,location=us,sensor_id=s1 temperature=82.5,humidity=71i,count=7u,ok=t,bad=FALSE,note=\"a,b c=d\" 1556813561098000000\n"
        )
        #expect(
            result.readings == ["s1.temperature=82.5", "s1.humidity=71.0", "s1.count=7.0", "s1.ok=1.0", "s1.bad=0.0"])
        #expect(result.times == [1_556_813_561_098_000_000])
        #expect(result.reasons == [])
    }

    @Test func namesOfSensorsAndMetrics() {
        #expect(lines("temp,host=h,device=d value=1").readings == ["d.temp=1.0"])
        #expect(lines("temp value=1,max=2").readings == ["temp.temp=1.0", "temp.max=2.0"])
        #expect(lines("temp,place=x,host=h v=1") { $0.influxSensorTags = ["place"] }.readings == ["x.v=1.0"])
        let cpu = lines("cpu,host=h,cpu=cpu0 idle=1\ncpu,host=h,cpu=cpu1 idle=2") { $0.influxMetricTags = ["cpu"] }
        #expect(cpu.readings == ["h.idle{cpu=cpu0}=1.0", "h.idle{cpu=cpu1}=2.0"])
    }

    @Test func escapes() {
        let result = lines(#"my\ temp\,x,sensor=a\ b\=c\,d f\ g\=h=1,t="say \"hi\" \\",k\z=2 1"#)
        #expect(result.readings == [#"a b=c,d.f g=h=1.0"#, #"a b=c,d.k\z=2.0"#])
        #expect(lines(#"my\ temp value=1"#).readings == ["my temp.my temp=1.0"])
    }

    @Test func precisionsAndNoTime() {
        for (precision, factor) in [
            (InfluxPrecision.seconds, 1_000_000_000), (.milliseconds, 1_000_000), (.microseconds, 1000),
            (.nanoseconds, 1),
        ] {
            #expect(lines("a b=1 1700") { $0.influxPrecision = precision }.times == [1700 * Int64(factor)])
        }
        #expect(lines("a b=1").times == [received])
        #expect(InfluxPrecision(parameter: "u") == .microseconds)
        #expect(InfluxPrecision(parameter: "h") == .hours)
        #expect(InfluxPrecision(parameter: "d") == nil)
    }

    @Test func badLinesAreRejectedAlone() {
        let bad = [
            "a", "a b", "a b=", "a b=1 x", "a b=1i2", "a,=1 b=1", "a,t= b=1", "a b=\"open",
            "a b=1 99999999999999999999", ",a=1 b=1",
            "a b=nan", "a b=1 -5", "a b=1,", "a =1",
        ]
        for line in bad {
            let result = lines("# comment\n\nx y=1\n\(line)\nx y=2 7\r\n")
            #expect(result.readings == ["x.y=1.0", "x.y=2.0"], "\(line)")
            #expect(result.reasons.count == 1, "\(line)")
            #expect(result.details.first?.contains("bad line 4:") ?? false, "\(line): \(result.details)")
        }
    }

    @Test func measurementInTheMetricsName() {
        let result = lines("mem,host=h used=1,value=2\ndisk,host=h,device=sda used=3") {
            $0.influxMetricTags = ["_measurement", "device"]
        }
        #expect(result.readings == ["h.mem.used=1.0", "h.mem=2.0", "h.disk.used{device=sda}=3.0"])
    }

    @Test func eventsAndRejectsKeepTheirOwnLine() {
        let result = lines("# of a plant\na x=1 5\n  b y=bad,s=\"1\n2\" 6\nc,host=h z=3 7\r\nd v=\"two\nlines\" 8\ne")
        let text = { (payload: ByteRange) in String(decoding: result.batch.bytes[payload.range], as: UTF8.self) }
        #expect(result.batch.payloads.map(text) == ["a x=1 5", "c,host=h z=3 7"])
        #expect(result.batch.rejects.map { text($0.payload) } == ["  b y=bad,s=\"1", "2\" 6", "e"])
        #expect(result.details.last?.contains("bad line 8:") ?? false, "\(result.details)")
    }

    @Test func skippedValuesAreCounted() {
        let skipped = SkippedValues()
        for _ in 0..<2 { _ = lines("a s=\"x\",t=\"y\",n=1") { $0.skipped = skipped } }
        #expect(skipped.count == 4)
    }

    @Test func stringsMayHoldLineEnds() {
        let result = lines("a s=\"one\ntwo\",b=1 5\nc d=2 6")
        #expect(result.readings == ["a.b=1.0", "c.d=2.0"])
        #expect(result.times == [5, 6])
    }

    @Test func damageNeverTraps() {
        let whole = Array("w,sensor=a\\ b t=1.5,s=\"x\\\"y\",i=1i 1700000000000000000\nw t=2 1\n".utf8)
        for position in whole.indices {
            for byte in Array("\\\", =\n\0".utf8) + [0xff] {
                var damaged = whole
                damaged[position] = byte
                let result = decode(MessageBatch(body: damaged), .influx)
                #expect(result.batch.readingCount + result.batch.rejects.count >= 1)
            }
            _ = decode(MessageBatch(body: Array(whole[..<position])), .influx)
        }
    }
}
