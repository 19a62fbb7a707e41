export { systemClock, type Clock } from '../process/clock.js'
