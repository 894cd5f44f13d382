internal import TocsinCore
internal import TocsinDetect
internal import TocsinMeasure

extension ModelLoops {
    /// Forward passes of the usual autoencoder, in 32 bits and, where the processor can, with bfloat16.
    static func sequence(_ settings: ModelBenchmark.Settings) throws -> [ModelFigure] {
        let network = SequenceNetwork(shape: try SequenceShape(features: 6, steps: 50, units: [128, 64]), seed: 1)
        let scratch = SequenceScratch()
        var random = SplitMix64(seed: 5)
        var figures: [ModelFigure] = []
        var sum: Float = 0
        for batch in [1, 16, 128] {
            let inputs = (0..<batch * network.shape.steps * network.shape.features).map { _ in
                Float(random.nextUnit() * 2 - 1)
            }
            var outputs = inputs
            for (precision, suffix, name) in [
                (SequenceNetwork.Precision.single, "", ""), (.bfloat16, "_bfloat16", ", bfloat16"),
            ] where precision == .single || SequenceNetwork.hasBFloat16 {
                let calls = max(1, 1024 / batch)
                let found = rates(settings.repeats) {
                    for _ in 0..<calls {
                        network.reconstruct(inputs, into: &outputs, scratch: scratch, precision: precision)
                        sum += outputs[0]
                    }
                    return calls * batch
                }
                figures.append(
                    ModelFigure(
                        "sequence_\(batch)\(suffix)", "LSTM autoencoder, batch of \(batch)\(name)", rates: found))
            }
        }
        return sum.isNaN ? [] : figures
    }
}
