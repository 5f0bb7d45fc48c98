import BigLittleBindings

// Plain values are the core's own, by the core's names: the same fields on every
// platform, and their documentation with them.

/// The answer for a frame, and what it took.
public typealias Outcome = BigLittleBindings.Answer

// MARK: Frames

/// How the bytes of a frame encode its pixels. `yuv420` has planes Y, U and V, `nv12` Y
/// and CbCr, `nv21` Y and CrCb; the others have one.
public typealias PixelFormat = BigLittleBindings.PixelFormat

/// The weights of the colours in the luma of a YUV frame.
public typealias YuvMatrix = BigLittleBindings.YuvMatrix

/// Whether the values of a YUV frame fill 0 to 255 or stop short of it.
public typealias YuvRange = BigLittleBindings.YuvRange

/// A rectangle of pixels in a frame's buffer, before any rotation.
public typealias Rect = BigLittleBindings.Rect

// MARK: Opening

/// How an engine opens a bundle.
public typealias EngineOptions = BigLittleBindings.EngineOptions

/// When the networks behind the first level are opened: when first needed (`lazy`),
/// together with it (`eager`), or so and run once (`warmUp`).
public typealias Opening = BigLittleBindings.Opening

/// What the run-time policy is told once. A part whose options are left out is off.
public typealias RuntimeOptions = BigLittleBindings.RuntimeOptions

/// Which frames the big network looks at although the little one was sure.
public typealias AuditOptions = BigLittleBindings.AuditOptions

/// When audits raise the accuracy alarm, and with it the floor.
public typealias AlarmOptions = BigLittleBindings.AlarmOptions

/// How a fresh certificate is made from audited frames after an accuracy alarm.
public typealias RecalibrationOptions = BigLittleBindings.RecalibrationOptions

/// When an earlier answer is good enough for a frame of video that looks the same.
public typealias GateOptions = BigLittleBindings.GateOptions

/// How often the big network may run in a burst.
public typealias StormOptions = BigLittleBindings.StormOptions

/// What an unsure frame gets in a burst: no answer (`certificateFirst`) or the little
/// network's (`latencyFirst`).
public typealias StormPriority = BigLittleBindings.StormPriority

/// What may be spent on the big network.
public typealias Budget = BigLittleBindings.Budget

/// In which unit a budget is given.
public typealias BudgetKind = BigLittleBindings.BudgetKind

/// What a frame costs by each network, for budgets in energy.
public typealias FrameCosts = BigLittleBindings.FrameCosts

/// What a bundle says about itself.
public typealias BundleInfo = BigLittleBindings.BundleInfo

/// One step of a cascade, as its bundle describes it.
public typealias LevelInfo = BigLittleBindings.LevelInfo

/// One network of a bundle.
public typealias NetworkInfo = BigLittleBindings.NetworkInfo

/// What is promised of the thresholds in use.
public typealias CertificateInfo = BigLittleBindings.CertificateInfo

/// What a certificate bounds: wrong where the big network is right (`harm`), or another
/// answer than the big network's (`disagree`).
public typealias Loss = BigLittleBindings.Loss

/// What the run-time state began with: nothing, or what was saved.
public typealias StateOrigin = BigLittleBindings.StateOrigin

/// How much is logged.
public typealias LogLevel = BigLittleBindings.LogLevel

extension EngineOptions {
  /// Networks are opened when they are first needed, and the run-time policy is on.
  public static var standard: EngineOptions {
    EngineOptions(opening: .lazy, runtime: RuntimeOptions())
  }
}

// MARK: Answers

/// How far an answer can be trusted. One that is not `accepted` is better said to be a
/// guess.
public typealias AnswerStatus = BigLittleBindings.AnswerStatus

/// Why a level's answer did not stand.
public typealias EscalationReason = BigLittleBindings.EscalationReason

/// What the run-time policy did to an answer.
public typealias Marks = BigLittleBindings.Marks

/// What one level made of a frame, and what that took.
public typealias LevelReport = BigLittleBindings.LevelReport

/// A duration on two clocks, in nanoseconds: the wall's and the processor's.
public typealias Times = BigLittleBindings.Times

// MARK: The policy

/// One look at the phone. Every value but the time may be missing.
/// ``BigLittle/push(_:)`` takes it.
public typealias DeviceReading = BigLittleBindings.DeviceReading

/// How hot the system says it is. The names are Android's; iOS has the first four:
/// nominal, fair, serious and critical.
public typealias ThermalLevel = BigLittleBindings.ThermalLevel

/// What the user prefers: to save energy, as the phone's state allows, or the strictest
/// certificate.
public typealias UserMode = BigLittleBindings.UserMode

/// What is in force now, and why.
public typealias EngineStatus = BigLittleBindings.EngineStatus

/// Which demand decided the threshold.
public typealias ThresholdReason = BigLittleBindings.ThresholdReason

/// What the level of saving is due to.
public typealias LevelCause = BigLittleBindings.LevelCause

/// What the certified floor is due to.
public typealias FloorCause = BigLittleBindings.FloorCause

/// What limits the share of frames that may run the big network.
public typealias RateCause = BigLittleBindings.RateCause

/// What to do where the certified floor does not let the budget be kept.
public typealias BudgetInfeasible = BigLittleBindings.BudgetInfeasible

/// What was wrong with readings, counted.
public typealias ReadingFaults = BigLittleBindings.ReadingFaults

// MARK: Accounts

/// What was spent on what, and what that saved against the big network alone.
public typealias SavingsReport = BigLittleBindings.SavingsReport

/// Frames by how they were answered.
public typealias FrameCounts = BigLittleBindings.FrameCounts

/// Time and multiply-accumulates.
public typealias Spent = BigLittleBindings.Spent

/// A 95 % interval.
public typealias Interval = BigLittleBindings.Interval

/// Energy, or where there are no joules only the ratio, with where it comes from.
public typealias Energy = BigLittleBindings.Energy

/// Where joules come from. A model of multiply-accumulates gives ratios only.
public typealias EnergyModel = BigLittleBindings.EnergyModel

/// Where a figure of energy comes from.
public typealias EnergyProvenance = BigLittleBindings.EnergyProvenance

// MARK: Recorded devices

/// What happened to a recorded device: a reading, a choice of mode, or a restart of the
/// app.
public typealias TraceEvent = BigLittleBindings.TraceEvent

/// A threshold with the loss that is promised of it.
public typealias CertifiedThreshold = BigLittleBindings.CertifiedThreshold

/// What the policy demands after an event of a recorded device.
public typealias ReplayStep = BigLittleBindings.ReplayStep
