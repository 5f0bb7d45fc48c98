// Plain values of the Rust core: one definition, from which Kotlin and Swift are generated. Kotlin
// finds the variants of a sealed one under its own name: `dev.biglittle.core.BudgetKind.BigShare`.

package dev.biglittle

/** How far an answer can be trusted. */
public typealias AnswerStatus = dev.biglittle.core.AnswerStatus

/** Random looks at accepted answers. */
public typealias AuditOptions = dev.biglittle.core.AuditOptions

/** When audits raise the accuracy alarm, and with it the floor. */
public typealias AlarmOptions = dev.biglittle.core.AlarmOptions

/** How a fresh certificate is made from audited frames after an accuracy alarm. */
public typealias RecalibrationOptions = dev.biglittle.core.RecalibrationOptions

/** What an app may spend on the big network. */
public typealias Budget = dev.biglittle.core.Budget

/** What kind of budget it is. */
public typealias BudgetKind = dev.biglittle.core.BudgetKind

/** What to do where the certified floor does not let a budget be kept. */
public typealias BudgetInfeasible = dev.biglittle.core.BudgetInfeasible

/** What a bundle says about itself. */
public typealias BundleInfo = dev.biglittle.core.BundleInfo

/** What is promised of the thresholds of a bundle. */
public typealias CertificateInfo = dev.biglittle.core.CertificateInfo

/** A threshold and the largest mean loss that it was certified to keep. */
public typealias CertifiedThreshold = dev.biglittle.core.CertifiedThreshold

/** One look at the phone: battery, heat, power save mode. */
public typealias DeviceReading = dev.biglittle.core.DeviceReading

/** Energy with its provenance, or only a ratio. */
public typealias Energy = dev.biglittle.core.Energy

/** What turns processor time into energy. */
public typealias EnergyModel = dev.biglittle.core.EnergyModel

/** Where a figure of energy comes from. */
public typealias EnergyProvenance = dev.biglittle.core.EnergyProvenance

/** The threshold in force, why, and what is advised. */
public typealias EngineStatus = dev.biglittle.core.EngineStatus

/** Why a level's answer did not stand. */
public typealias EscalationReason = dev.biglittle.core.EscalationReason

/** What the certified floor is due to. */
public typealias FloorCause = dev.biglittle.core.FloorCause

/** What a frame costs, in millijoules. */
public typealias FrameCosts = dev.biglittle.core.FrameCosts

/** Frames by how they were answered. */
public typealias FrameCounts = dev.biglittle.core.FrameCounts

/** When an earlier answer is good enough for a frame of video. */
public typealias GateOptions = dev.biglittle.core.GateOptions

/** A 95 % interval. */
public typealias Interval = dev.biglittle.core.Interval

/** What a level of saving is due to. */
public typealias LevelCause = dev.biglittle.core.LevelCause

/** One step of a cascade. */
public typealias LevelInfo = dev.biglittle.core.LevelInfo

/** What one level made of a frame, and what that took. */
public typealias LevelReport = dev.biglittle.core.LevelReport

/** How much is logged. */
public typealias LogLevel = dev.biglittle.core.LogLevel

/** What a certificate bounds. */
public typealias Loss = dev.biglittle.core.Loss

/** What the run-time policy did to an answer. */
public typealias Marks = dev.biglittle.core.Marks

/** One network of a bundle. */
public typealias NetworkInfo = dev.biglittle.core.NetworkInfo

/** When the networks behind the first level are opened. */
public typealias Opening = dev.biglittle.core.Opening

/** How the bytes of a frame encode its pixels. */
public typealias PixelFormat = dev.biglittle.core.PixelFormat

/** What the share of the big network is due to. */
public typealias RateCause = dev.biglittle.core.RateCause

/** What was wrong with readings. */
public typealias ReadingFaults = dev.biglittle.core.ReadingFaults

/** What is in force after an event of a recording. */
public typealias ReplayStep = dev.biglittle.core.ReplayStep

/** What the run-time policy is told once. */
public typealias RuntimeOptions = dev.biglittle.core.RuntimeOptions

/** What was spent on what, and what that saved. */
public typealias SavingsReport = dev.biglittle.core.SavingsReport

/** Time and multiply-accumulates. */
public typealias Spent = dev.biglittle.core.Spent

/** What the run-time state began with. */
public typealias StateOrigin = dev.biglittle.core.StateOrigin

/** A guard against bursts of unsure frames. */
public typealias StormOptions = dev.biglittle.core.StormOptions

/** What gives way in a burst. */
public typealias StormPriority = dev.biglittle.core.StormPriority

/** How hot the system says it is. */
public typealias ThermalLevel = dev.biglittle.core.ThermalLevel

/** Which of the demands decided the threshold. */
public typealias ThresholdReason = dev.biglittle.core.ThresholdReason

/** A duration on the wall clock and on a processor. */
public typealias Times = dev.biglittle.core.Times

/** One line of a recorded device. */
public typealias TraceEvent = dev.biglittle.core.TraceEvent

/** What the user prefers. */
public typealias UserMode = dev.biglittle.core.UserMode

/** The weights of red, green and blue in luma. */
public typealias YuvMatrix = dev.biglittle.core.YuvMatrix

/** The bytes that stand for black and white. */
public typealias YuvRange = dev.biglittle.core.YuvRange
